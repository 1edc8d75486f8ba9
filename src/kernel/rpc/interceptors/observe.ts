import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { type Call, callKey, nameOfStatus } from "../call.ts";
import { passing } from "../map-stream.ts";
import { PRINCIPAL } from "../principal.ts";

/** Notes how a call ends; outermost of the interceptors, so that it sees what the caller sees. */
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
  return passing(response.message, {
    pass: (message) => message,
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
