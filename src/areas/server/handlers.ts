import type { ServiceImpl } from "@connectrpc/connect";
import type { ServerService } from "../../gen/satchel/v1/server_pb.ts";
import type { ServerInfo } from "./server-info.ts";

/** satchel.v1.ServerService. */
export function serverHandlers({ version, engine, limits }: ServerInfo): ServiceImpl<typeof ServerService> {
  const shown = limits.map(({ name, maximum, description }) => ({ name, maximum: BigInt(maximum), description }));
  return {
    getServerInfo: () => ({ version, engine, limits: shown }),
  };
}
