import type { ServiceImpl } from "@connectrpc/connect";
import { ServerService } from "../../gen/satchel/v1/server_pb.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import type { ServerInfo } from "./get-server-info.ts";

/** Registers satchel.v1.ServerService. */
export function serverRoutes(...dependencies: Parameters<typeof serverHandlers>): Routes {
  return (router) => void router.service(ServerService, serverHandlers(...dependencies));
}

/** satchel.v1.ServerService. */
function serverHandlers({ version, engine, limits }: ServerInfo): ServiceImpl<typeof ServerService> {
  const shown = limits.map(({ name, maximum, description }) => ({ name, maximum: BigInt(maximum), description }));
  return {
    getServerInfo: () => ({ version, engine, limits: shown }),
  };
}
