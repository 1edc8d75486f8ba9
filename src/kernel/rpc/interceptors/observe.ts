import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { type Call, callKey, nameOfStatus } from "../call.ts";
import { mapStream } from "../map-stream.ts";
import { PRINCIPAL } from "../principal.ts";

/** Records the status of a call. The outermost interceptor, so that the status is the one that the caller gets. */
export const observe: Interceptor = (next) => async (request) => {
  const call = request.contextValues.get(callKey);
  if (call === undefined) return next(request);
  try {
    const response = await next(request);
    if (response.stream) return { ...response, message: observed(call, request.signal, response) };
    call.status = "OK";
    return response;
  } catch (error) {
    failed(call, error);
    throw error;
  } finally {
    const principal = request.contextValues.get(PRINCIPAL);
    if ("namespaceId" in principal) call.namespaceId = principal.namespaceId;
  }
};

function observed(call: Call, signal: AbortSignal, response: StreamResponse): StreamResponse["message"] {
  return mapStream(response.message, {
    map: (message) => message,
    completed: () => {
      call.status = "OK";
    },
    failed: (error) => {
      failed(call, error);
      return error;
    },
    abandoned: () => {
      call.status = signal.aborted ? nameOfStatus(ConnectError.from(signal.reason, Code.Canceled).code) : "CANCELLED";
    },
  });
}

function failed(call: Call, error: unknown): void {
  const failure = ConnectError.from(error, Code.Internal);
  call.status = nameOfStatus(failure.code);
  call.reason = failure.findDetails(ErrorInfoSchema)[0]?.reason;
}
