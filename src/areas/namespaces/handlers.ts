import type { ServiceImpl } from "@connectrpc/connect";
import { NamespaceService } from "../../gen/satchel/v1/namespaces_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import type { NamespaceTokens } from "./namespace-tokens.ts";
import type { Namespaces } from "./namespaces.ts";
import * as requests from "./requests.ts";
import * as shapes from "./responses.ts";

/** Registers satchel.v1.NamespaceService. */
export function namespaceRoutes(...dependencies: Parameters<typeof namespaceHandlers>): Routes {
  return (router) => void router.service(NamespaceService, namespaceHandlers(...dependencies));
}

/** satchel.v1.NamespaceService. */
function namespaceHandlers(
  namespaces: Namespaces,
  tokens: NamespaceTokens,
  limits: Limits,
): ServiceImpl<typeof NamespaceService> {
  return {
    async createNamespace(request) {
      const { namespaceId, description } = requests.parseNewNamespace(request, limits);
      const { namespace, token } = await namespaces.create(namespaceId, description);
      return { namespace: shapes.namespace(namespace), token };
    },

    async getNamespace(request, context) {
      const { namespace, statistics } = await namespaces.get(requests.parseNamespaceId(request, limits), context);
      return {
        namespace: shapes.namespace(namespace),
        ...(statistics && { statistics: shapes.statistics(statistics) }),
      };
    },

    async listNamespaces(request) {
      const { items, nextPageToken } = await namespaces.list(requests.parseNamespaceList(request, limits));
      return { namespaces: items.map(shapes.namespace), nextPageToken };
    },

    async updateNamespace(request) {
      const { namespaceId, description } = requests.parseNamespaceUpdate(request, limits);
      return { namespace: shapes.namespace(await namespaces.updateDescription(namespaceId, description)) };
    },

    async deleteNamespace(request, context) {
      const { statistics, tokenCount } = await namespaces.delete(requests.parseNamespaceId(request, limits), context);
      return { statistics: shapes.statistics(statistics), tokenCount: BigInt(tokenCount) };
    },

    async createToken(request) {
      const { token, info } = await tokens.create(requests.parseNewToken(request, limits));
      return { token, info: shapes.tokenInfo(info) };
    },

    async listTokens(request) {
      const { namespaceId, ...list } = requests.parseTokenList(request, limits);
      const { items, nextPageToken } = await tokens.list(namespaceId, list);
      return { tokens: items.map(shapes.tokenInfo), nextPageToken };
    },

    async revokeToken(request) {
      const { namespaceId, tokenId } = requests.parseRevocation(request, limits);
      return { info: shapes.tokenInfo(await tokens.revoke(namespaceId, tokenId)) };
    },
  };
}
