import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { RetentionPolicySchema } from "../../../gen/satchel/v1/retention_pb.ts";
import type { StreamService } from "../../../gen/satchel/v1/streams_pb.ts";
import type { Limits } from "../../../kernel/limits.ts";
import { serviceCaller } from "../../../kernel/rpc/principal.ts";
import type { RetentionPolicy } from "../domain/retention.ts";
import * as requests from "./requests.ts";
import type { Retention } from "./retention.ts";

type Handlers = Pick<
  ServiceImpl<typeof StreamService>,
  "truncateStream" | "deleteStream" | "setRetention" | "getRetention"
>;

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;

/** What satchel.v1.StreamService removes. */
export function retentionHandlers(retention: Retention, limits: Limits): Handlers {
  return {
    async truncateStream(request, context) {
      const { streamName, before } = requests.parseTruncation(request, limits);
      const caller = serviceCaller(context);
      const { removed, firstPosition } = await retention.truncateStream(caller, streamName, before, context);
      return { removedCount: removed, firstPosition };
    },

    async deleteStream(request, context) {
      const deletion = requests.parseDeletion(request, limits);
      const { removed, version } = await retention.deleteStream(serviceCaller(context), deletion, context);
      return { removedCount: removed, ...(version === undefined ? {} : { version }) };
    },

    async setRetention(request, context) {
      const { target, policy } = requests.parseSetRetention(request, limits);
      const caller = serviceCaller(context);
      if (request.dryRun)
        return { ...policyField(policy), preview: await retention.preview(caller, target, policy, context) };
      await retention.setPolicy(caller, target, policy, context);
      return policyField(policy);
    },

    async getRetention(request, context) {
      const target = requests.parseGetRetention(request, limits);
      const found = await retention.getPolicy(serviceCaller(context), target, context);
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
