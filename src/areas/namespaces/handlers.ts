import type { ServiceImpl } from "@connectrpc/connect";
import { NamespaceService } from "../../gen/satchel/v1/namespaces_pb.ts";
import type { Routes } from "../../kernel/rpc/router.ts";
import type { NamespacesContext } from "./context.ts";
import { createToken } from "./create-token.ts";
import { createNamespace } from "./create.ts";
import { deleteNamespace } from "./delete.ts";
import { getNamespace } from "./get.ts";
import { listTokens } from "./list-tokens.ts";
import { listNamespaces } from "./list.ts";
import * as requests from "./requests.ts";
import * as responses from "./responses.ts";
import { revokeToken } from "./revoke-token.ts";
import { updateNamespace } from "./update.ts";

/** Registers satchel.v1.NamespaceService. */
export function namespaceRoutes(context: NamespacesContext): Routes {
  return (router) => void router.service(NamespaceService, namespaceHandlers(context));
}

/** satchel.v1.NamespaceService. */
function namespaceHandlers(context: NamespacesContext): ServiceImpl<typeof NamespaceService> {
  const { limits } = context;
  return {
    async createNamespace(request) {
      const { namespace, token } = await createNamespace(context, requests.parseNewNamespace(request, limits));
      return { namespace: responses.namespace(namespace), token };
    },

    async getNamespace(request, call) {
      const namespaceId = requests.parseNamespaceId(request, limits);
      const { namespace, statistics } = await getNamespace(context, namespaceId, call);
      return { namespace: responses.namespace(namespace), ...(statistics && { statistics }) };
    },

    async listNamespaces(request) {
      const { items, nextPageToken } = await listNamespaces(context, requests.parseNamespaceList(request, limits));
      return { namespaces: items.map(responses.namespace), nextPageToken };
    },

    async updateNamespace(request) {
      const namespace = await updateNamespace(context, requests.parseNamespaceUpdate(request, limits));
      return { namespace: responses.namespace(namespace) };
    },

    async deleteNamespace(request, call) {
      const namespaceId = requests.parseNamespaceId(request, limits);
      const { statistics, tokenCount } = await deleteNamespace(context, namespaceId, call);
      return { statistics, tokenCount: BigInt(tokenCount) };
    },

    async createToken(request) {
      const { token, info } = await createToken(context, requests.parseNewToken(request, limits));
      return { token, info: responses.tokenInfo(info) };
    },

    async listTokens(request) {
      const { items, nextPageToken } = await listTokens(context, requests.parseTokenList(request, limits));
      return { tokens: items.map(responses.tokenInfo), nextPageToken };
    },

    async revokeToken(request) {
      const info = await revokeToken(context, requests.parseTokenRevocation(request, limits));
      return { info: responses.tokenInfo(info) };
    },
  };
}
