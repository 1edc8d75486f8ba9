import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { CallOptions } from "../core/client-options.ts";
import { allItems, type ListOptions } from "../core/list-pages.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { dateOf, optionalDate, present } from "../core/wire-conversions.ts";
import { Role as WireRole } from "../gen/satchel/options/v1/access_pb.ts";
import {
  NamespaceService,
  NamespaceState,
  type NamespaceStatistics as WireStatistics,
  type NamespaceToken as WireToken,
  type Namespace as WireNamespace,
} from "../gen/satchel/v1/namespaces_pb.ts";

/** Role of a token in its namespace. Each role includes the ones before it. */
export type Role = "reader" | "writer" | "admin";

/** A namespace. */
export interface Namespace {
  readonly namespaceId: string;
  readonly description: string;
  readonly state: "active" | "deleting";
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** Contents of a namespace. */
export interface NamespaceStatistics {
  readonly messageCount: bigint;
  readonly categoryCount: bigint;
  /** Size on disk, indexes included. */
  readonly storageBytes: bigint;
}

/** A token without its secret. */
export interface TokenInfo {
  readonly tokenId: string;
  readonly namespaceId: string;
  readonly role: Role;
  readonly description: string;
  readonly createTime: Date;
  /** When it expires; undefined: never. */
  readonly expireTime: Date | undefined;
  /** When it was revoked; undefined: it is not revoked. */
  readonly revokeTime: Date | undefined;
}

const RPC = NamespaceService.method;
const WIRE_ROLES = { reader: WireRole.READER, writer: WireRole.WRITER, admin: WireRole.ADMIN } as const;

/** Namespaces and their tokens; needs the root token. Every method rejects with a SatchelClientError. */
export class Namespaces {
  readonly #caller: RpcCaller;

  constructor(caller: RpcCaller) {
    this.#caller = caller;
  }

  /** Creates a namespace and a token with the role admin, which is returned only here. Not retried. */
  async create(
    namespaceId: string,
    options: CallOptions & { readonly description?: string | undefined } = {},
  ): Promise<{ readonly namespace: Namespace; readonly token: string }> {
    const request = { namespaceId, description: options.description ?? "" };
    const { namespace, token } = await this.#caller.callOnce(RPC.createNamespace, request, options);
    return { namespace: namespaceOf(namespace), token };
  }

  /** A namespace with its statistics, which are undefined while it is being deleted. */
  async get(
    namespaceId: string,
    options?: CallOptions,
  ): Promise<{ readonly namespace: Namespace; readonly statistics: NamespaceStatistics | undefined }> {
    const { namespace, statistics } = await this.#caller.callWithRetries(RPC.getNamespace, { namespaceId }, options);
    return { namespace: namespaceOf(namespace), statistics: statistics && statisticsOf(statistics) };
  }

  /** Lists the namespaces, by id. */
  list(options: ListOptions = {}): AsyncGenerator<Namespace, void, undefined> {
    const { prefix = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.callWithRetries(RPC.listNamespaces, { prefix, ...page }, options);
      return { items: response.namespaces.map(namespaceOf), nextPageToken: response.nextPageToken };
    });
  }

  /** Changes the description. */
  async update(
    namespaceId: string,
    change: { readonly description: string },
    options?: CallOptions,
  ): Promise<Namespace> {
    const request = { namespace: { namespaceId, ...change }, updateMask: { paths: ["description"] } };
    return namespaceOf((await this.#caller.callWithRetries(RPC.updateNamespace, request, options)).namespace);
  }

  /** Deletes a namespace with everything in it, permanently; resolves with its last statistics. Not retried. */
  async delete(
    namespaceId: string,
    options?: CallOptions,
  ): Promise<{ readonly statistics: NamespaceStatistics; readonly tokenCount: bigint }> {
    const { statistics, tokenCount } = await this.#caller.callOnce(RPC.deleteNamespace, { namespaceId }, options);
    return { statistics: statisticsOf(present(statistics)), tokenCount };
  }

  /** Creates a token, which is returned only here. Not retried. */
  async createToken(
    namespaceId: string,
    role: Role,
    options: CallOptions & { readonly description?: string | undefined; readonly expireTime?: Date | undefined } = {},
  ): Promise<{ readonly token: string; readonly info: TokenInfo }> {
    const { description = "", expireTime } = options;
    const expiry = expireTime === undefined ? {} : { expireTime: timestampFromDate(expireTime) };
    const request = { namespaceId, role: WIRE_ROLES[role], description, ...expiry };
    const { token, info } = await this.#caller.callOnce(RPC.createToken, request, options);
    return { token, info: tokenOf(info) };
  }

  /** Lists the tokens of a namespace, oldest first, expired and revoked ones included. */
  listTokens(
    namespaceId: string,
    options: Omit<ListOptions, "prefix"> = {},
  ): AsyncGenerator<TokenInfo, void, undefined> {
    return allItems(options, async (page) => {
      const response = await this.#caller.callWithRetries(RPC.listTokens, { namespaceId, ...page }, options);
      return { items: response.tokens.map(tokenOf), nextPageToken: response.nextPageToken };
    });
  }

  /** Revokes a token by its id. Once this resolves, no server accepts it. Idempotent. */
  async revokeToken(namespaceId: string, tokenId: string, options?: CallOptions): Promise<TokenInfo> {
    const { info } = await this.#caller.callWithRetries(RPC.revokeToken, { namespaceId, tokenId }, options);
    return tokenOf(info);
  }
}

function namespaceOf(namespace: WireNamespace | undefined): Namespace {
  const { namespaceId, description, state, createTime, updateTime } = present(namespace);
  return {
    namespaceId,
    description,
    state: state === NamespaceState.DELETING ? "deleting" : "active",
    createTime: dateOf(createTime),
    updateTime: dateOf(updateTime),
  };
}

function statisticsOf({ messageCount, categoryCount, storageBytes }: WireStatistics): NamespaceStatistics {
  return { messageCount, categoryCount, storageBytes };
}

function tokenOf(token: WireToken | undefined): TokenInfo {
  const { tokenId, namespaceId, role, description, createTime, expireTime, revokeTime } = present(token);
  return {
    tokenId,
    namespaceId,
    role: roleOf(role),
    description,
    createTime: dateOf(createTime),
    expireTime: optionalDate(expireTime),
    revokeTime: optionalDate(revokeTime),
  };
}

function roleOf(role: WireRole): Role {
  const found = Object.entries(WIRE_ROLES).find(([, wire]) => wire === role);
  return present(found)[0] as Role;
}
