import type {
  CreateNamespaceRequest,
  CreateTokenRequest,
  ListNamespacesRequest,
  ListTokensRequest,
  RevokeTokenRequest,
  UpdateNamespaceRequest,
} from "../../gen/satchel/v1/namespaces_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import * as fields from "../../kernel/rpc/fields.ts";
import { parsed } from "../../kernel/rpc/problems.ts";
import * as times from "../../kernel/rpc/times.ts";
import type { NewToken } from "./create-token.ts";
import type { NamespaceDescription } from "./create.ts";
import type { TokensRequest } from "./list-tokens.ts";
import type { NamespacesRequest } from "./list.ts";
import type { TokenRevocation } from "./revoke-token.ts";

/** Which namespace a request is about. */
export function parseNamespaceId({ namespaceId }: { readonly namespaceId: string }, limits: Limits): NamespaceId {
  return parsed(limits, (problems) => fields.namespaceId(namespaceId, "namespace_id", problems));
}

/** What CreateNamespace asks for. */
export function parseNewNamespace(request: CreateNamespaceRequest, limits: Limits): NamespaceDescription {
  return parsed(limits, (problems) => ({
    namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems),
    description: fields.wellFormed(request.description, "description", problems),
  }));
}

/** What ListNamespaces asks for. */
export function parseNamespaceList(request: ListNamespacesRequest, limits: Limits): NamespacesRequest {
  return parsed(limits, (problems) => ({
    prefix: fields.wellFormed(request.prefix, "prefix", problems),
    pageSize: fields.pageSize(request.pageSize),
    pageToken: request.pageToken,
  }));
}

/** What UpdateNamespace asks for. */
export function parseNamespaceUpdate(
  { namespace, updateMask }: UpdateNamespaceRequest,
  limits: Limits,
): NamespaceDescription {
  return parsed(limits, (problems) => {
    // The constraint of the .proto also lets paths below a field pass.
    if (updateMask?.paths.some((path) => path !== "description"))
      problems.add("update_mask", 'can only name "description"');
    return {
      namespaceId: fields.namespaceId(namespace?.namespaceId ?? "", "namespace.namespace_id", problems),
      description: fields.wellFormed(namespace?.description ?? "", "namespace.description", problems),
    };
  });
}

/** What CreateToken asks for. */
export function parseNewToken(request: CreateTokenRequest, limits: Limits): NewToken {
  return parsed(limits, (problems) => ({
    namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems),
    role: fields.role(request.role, "role", problems),
    description: fields.wellFormed(request.description, "description", problems),
    expireTimeMicros:
      request.expireTime === undefined ? undefined : times.micros(request.expireTime, "expire_time", problems),
  }));
}

/** What ListTokens asks for. */
export function parseTokenList(request: ListTokensRequest, limits: Limits): TokensRequest {
  return parsed(limits, (problems) => ({
    namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems),
    pageSize: fields.pageSize(request.pageSize),
    pageToken: request.pageToken,
  }));
}

/** What RevokeToken asks for. */
export function parseTokenRevocation(request: RevokeTokenRequest, limits: Limits): TokenRevocation {
  return parsed(limits, (problems) => ({
    namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems),
    tokenId: request.tokenId,
  }));
}
