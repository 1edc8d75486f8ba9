import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { RetentionPolicySchema } from "../../../gen/satchel/v1/retention_pb.ts";
import type { StreamService } from "../../../gen/satchel/v1/streams_pb.ts";
import { serviceCaller } from "../../../kernel/rpc/principal.ts";
import type { StreamsContext } from "../context.ts";
import type { RetentionPolicy } from "../domain/retention.ts";
import { deleteStream } from "./delete-stream.ts";
import { getRetention } from "./get-retention.ts";
import { previewRetention } from "./preview.ts";
import * as requests from "./requests.ts";
import { setRetention } from "./set-retention.ts";
import { truncateStream } from "./truncate.ts";

type Handlers = Pick<
  ServiceImpl<typeof StreamService>,
  "truncateStream" | "deleteStream" | "setRetention" | "getRetention"
>;

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;

/** The RPCs of satchel.v1.StreamService that remove messages, at once or by policy. */
export function retentionHandlers(context: StreamsContext): Handlers {
  const { limits } = context;
  return {
    async truncateStream(request, call) {
      const truncation = requests.parseTruncation(request, limits);
      const { removed, firstPosition } = await truncateStream(context, serviceCaller(call), truncation, call);
      return { removedCount: removed, firstPosition };
    },

    async deleteStream(request, call) {
      const deletion = requests.parseDeletion(request, limits);
      const { removed, version } = await deleteStream(context, serviceCaller(call), deletion, call);
      return { removedCount: removed, ...(version === undefined ? {} : { version }) };
    },

    async setRetention(request, call) {
      const change = requests.parseSetRetention(request, limits);
      const caller = serviceCaller(call);
      if (request.dryRun)
        return { ...policyField(change.policy), preview: await previewRetention(context, caller, change, call) };
      await setRetention(context, caller, change, call);
      return policyField(change.policy);
    },

    async getRetention(request, call) {
      const target = requests.parseGetRetention(request, limits);
      const found = await getRetention(context, serviceCaller(call), target, call);
      return { ...policyField(found?.policy), inherited: found?.inherited ?? false };
    },
  };
}

function policyField(policy: RetentionPolicy | undefined): {
  readonly policy?: MessageInitShape<typeof RetentionPolicySchema>;
} {
  if (policy === undefined) return {};
  const { maxAgeMicros, maxCount } = policy;
  return {
    policy: {
      ...(maxAgeMicros === undefined ? {} : { maxAge: duration(maxAgeMicros) }),
      ...(maxCount === undefined ? {} : { maxCount }),
    },
  };
}

function duration(micros: bigint): { readonly seconds: bigint; readonly nanos: number } {
  return { seconds: micros / MICROS_PER_SECOND, nanos: Number(micros % MICROS_PER_SECOND) * NANOS_PER_MICRO };
}
