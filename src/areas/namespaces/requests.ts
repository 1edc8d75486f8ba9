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
import type { ListRequest } from "../../kernel/paging.ts";
import * as fields from "../../kernel/rpc/fields.ts";
import { parsed, type Problems } from "../../kernel/rpc/problems.ts";
import * as times from "../../kernel/rpc/times.ts";
import * as streamFields from "../streams/fields.ts";
import type { NewTokenRequest } from "./namespace-tokens.ts";
import type { NamespacesRequest } from "./namespaces.ts";

interface NamespaceDescription {
  readonly namespaceId: NamespaceId;
  readonly description: string;
}

const TOKEN_ID = /^[0-9a-f]{32}$/;

/** Which namespace a request is about. */
export function parseNamespaceId({ namespaceId }: { readonly namespaceId: string }, limits: Limits): NamespaceId {
  return parsed(limits, (problems) => fields.namespaceId(namespaceId, "namespace_id", problems));
}

/** What CreateNamespace asks for. */
export function parseNewNamespace(request: CreateNamespaceRequest, limits: Limits): NamespaceDescription {
  return parsed(limits, (problems) => ({
    namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems),
    description: fields.description(request.description, "description", problems),
  }));
}

/** What ListNamespaces asks for. */
export function parseNamespaceList(request: ListNamespacesRequest, limits: Limits): NamespacesRequest {
  return parsed(limits, (problems) => ({
    prefix: streamFields.prefix(request.prefix, "prefix", problems),
    pageSize: fields.pageSize(request.pageSize, "page_size", problems),
    pageToken: request.pageToken,
  }));
}

/** What UpdateNamespace asks for. */
export function parseNamespaceUpdate(
  { namespace, updateMask }: UpdateNamespaceRequest,
  limits: Limits,
): NamespaceDescription {
  return parsed(limits, (problems) => {
    if (namespace === undefined) problems.add("namespace", "must be set");
    checkMask(updateMask?.paths ?? [], problems);
    return {
      namespaceId: fields.namespaceId(namespace?.namespaceId ?? "", "namespace.namespace_id", problems),
      description: fields.description(namespace?.description ?? "", "namespace.description", problems),
    };
  });
}

/** What CreateToken asks for. */
export function parseNewToken(request: CreateTokenRequest, limits: Limits): NewTokenRequest {
  return parsed(limits, (problems) => ({
    namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems),
    role: fields.role(request.role, "role", problems),
    description: fields.description(request.description, "description", problems),
    expireTime:
      request.expireTime === undefined ? undefined : times.micros(request.expireTime, "expire_time", problems),
  }));
}

/** What ListTokens asks for. */
export function parseTokenList(
  request: ListTokensRequest,
  limits: Limits,
): ListRequest & { readonly namespaceId: NamespaceId } {
  return parsed(limits, (problems) => ({
    namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems),
    pageSize: fields.pageSize(request.pageSize, "page_size", problems),
    pageToken: request.pageToken,
  }));
}

/** What RevokeToken asks for. */
export function parseRevocation(
  request: RevokeTokenRequest,
  limits: Limits,
): { readonly namespaceId: NamespaceId; readonly tokenId: string } {
  return parsed(limits, (problems) => {
    if (!TOKEN_ID.test(request.tokenId)) problems.add("token_id", "must be the id of a token: 32 hexadecimal digits");
    return { namespaceId: fields.namespaceId(request.namespaceId, "namespace_id", problems), tokenId: request.tokenId };
  });
}

function checkMask(paths: readonly string[], problems: Problems): void {
  if (paths.length === 0) problems.add("update_mask", "must name at least one field");
  if (paths.some((path) => path !== "description")) problems.add("update_mask", 'can only name "description"');
}
