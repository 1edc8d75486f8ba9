import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Role as WireRole } from "../gen/satchel/options/v1/access_pb.ts";
import {
  NamespaceService,
  NamespaceState,
  type NamespaceStatistics as WireStatistics,
  type NamespaceToken as WireToken,
  type Namespace as WireNamespace,
} from "../gen/satchel/v1/namespaces_pb.ts";
import type { Caller } from "./caller.ts";
import type { CallOptions } from "./options.ts";
import { allItems, type ListOptions } from "./paging.ts";
import { dateOf, optionalDate, present } from "./wire-values.ts";

/** What a token may do in its namespace; each role includes the ones before it. */
export type Role = "reader" | "writer" | "admin";

/** A namespace. */
export interface Namespace {
  readonly namespaceId: string;
  readonly description: string;
  readonly state: "active" | "deleting";
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** What a namespace holds. */
export interface NamespaceStatistics {
  readonly messageCount: bigint;
  readonly categoryCount: bigint;
  /** Bytes on disk, indexes included. */
  readonly storageBytes: bigint;
}

/** A token without its secret. */
export interface TokenInfo {
  readonly tokenId: string;
  readonly namespaceId: string;
  readonly role: Role;
  readonly description: string;
  readonly createTime: Date;
  /** From when on it is refused; undefined = never. */
  readonly expireTime: Date | undefined;
  /** Since when it is revoked; undefined = it is not. */
  readonly revokeTime: Date | undefined;
}

const RPC = NamespaceService.method;
const WIRE_ROLES = { reader: WireRole.READER, writer: WireRole.WRITER, admin: WireRole.ADMIN } as const;

/** Namespaces and their tokens: for the operator, with the root token. Every method rejects with a SatchelClientError. */
export class Namespaces {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Creates a namespace and a first token with the role admin, which is shown here once. Never repeated by itself. */
  async create(
    namespaceId: string,
    options: CallOptions & { readonly description?: string | undefined } = {},
  ): Promise<{ readonly namespace: Namespace; readonly token: string }> {
    const request = { namespaceId, description: options.description ?? "" };
    const { namespace, token } = await this.#caller.once(RPC.createNamespace, request, options);
    return { namespace: namespaceOf(namespace), token };
  }

  /** A namespace, and what it holds unless it is being deleted. */
  async get(
    namespaceId: string,
    options?: CallOptions,
  ): Promise<{ readonly namespace: Namespace; readonly statistics: NamespaceStatistics | undefined }> {
    const { namespace, statistics } = await this.#caller.repeatable(RPC.getNamespace, { namespaceId }, options);
    return { namespace: namespaceOf(namespace), statistics: statistics && statisticsOf(statistics) };
  }

  /** Every namespace, by id. */
  list(options: ListOptions = {}): AsyncGenerator<Namespace, void, undefined> {
    const { prefix = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.repeatable(RPC.listNamespaces, { prefix, ...page }, options);
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
    return namespaceOf((await this.#caller.repeatable(RPC.updateNamespace, request, options)).namespace);
  }

  /** Deletes a namespace with everything in it, for good; resolves with what it held. Never repeated by itself. */
  async delete(
    namespaceId: string,
    options?: CallOptions,
  ): Promise<{ readonly statistics: NamespaceStatistics; readonly tokenCount: bigint }> {
    const { statistics, tokenCount } = await this.#caller.once(RPC.deleteNamespace, { namespaceId }, options);
    return { statistics: statisticsOf(present(statistics)), tokenCount };
  }

  /** Makes a token, which is shown here once. Never repeated by itself. */
  async createToken(
    namespaceId: string,
    role: Role,
    options: CallOptions & { readonly description?: string | undefined; readonly expireTime?: Date | undefined } = {},
  ): Promise<{ readonly token: string; readonly info: TokenInfo }> {
    const { description = "", expireTime } = options;
    const expiry = expireTime === undefined ? {} : { expireTime: timestampFromDate(expireTime) };
    const request = { namespaceId, role: WIRE_ROLES[role], description, ...expiry };
    const { token, info } = await this.#caller.once(RPC.createToken, request, options);
    return { token, info: tokenOf(info) };
  }

  /** Every token of a namespace, oldest first, expired and revoked ones included. */
  listTokens(
    namespaceId: string,
    options: Omit<ListOptions, "prefix"> = {},
  ): AsyncGenerator<TokenInfo, void, undefined> {
    return allItems(options, async (page) => {
      const response = await this.#caller.repeatable(RPC.listTokens, { namespaceId, ...page }, options);
      return { items: response.tokens.map(tokenOf), nextPageToken: response.nextPageToken };
    });
  }

  /** Revokes a token by its id: once this resolves, no server accepts it. Revoking again changes nothing. */
  async revokeToken(namespaceId: string, tokenId: string, options?: CallOptions): Promise<TokenInfo> {
    const { info } = await this.#caller.repeatable(RPC.revokeToken, { namespaceId, tokenId }, options);
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
