import type { FilterQuery } from "@mikro-orm/core";
import type { CallOptions } from "../../kernel/call-options.ts";
import { type Clock, systemClock } from "../../kernel/clock.ts";
import { limitExceeded, SatchelError } from "../../kernel/errors.ts";
import type { Limits } from "../../kernel/limits.ts";
import { wireName } from "../../kernel/limits.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { Store } from "../../kernel/store/store.ts";
import { type NamespaceStatistics, streamStore } from "../streams/area.ts";
import { getNamespace, insertNamespace, lockNamespace } from "./store/namespace-rows.ts";
import { NamespaceEntity, type NamespaceRow } from "./store/namespace.ts";
import { TokenEntity } from "./store/token.ts";

/** A namespace. */
export type Namespace = Readonly<NamespaceRow>;

/** Which page of namespaces to return. */
export interface NamespacesRequest extends ListRequest {
  readonly prefix: string;
}

/** What a deletion has removed. */
export interface DeletedNamespace {
  readonly statistics: NamespaceStatistics;
  readonly tokenCount: number;
}

const NO_STATISTICS: NamespaceStatistics = { messageCount: 0n, categoryCount: 0n, storageBytes: 0n };
const ID_CHARACTERS = /^[a-z0-9_-]+$/;

/** Namespaces, as the operator sees them. */
export class Namespaces {
  readonly #store: Store;
  readonly #limits: Limits;
  readonly #clock: Clock;
  #deletions: Promise<unknown> = Promise.resolve();

  constructor(store: Store, limits: Limits, clock: Clock = systemClock()) {
    this.#store = store;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Creates a namespace with a first token, of the role admin. Throws NAMESPACE_EXISTS, LIMIT_EXCEEDED. */
  create(
    namespaceId: NamespaceId,
    description: string,
  ): Promise<{ readonly namespace: Namespace; readonly token: string }> {
    return this.#store.transact(async (em) => {
      const created = await insertNamespace(em, this.#store.engine, { namespaceId, description, now: this.#clock() });
      const count = await em.count(NamespaceEntity);
      const { maxNamespaces } = this.#limits;
      if (count > maxNamespaces) throw limitExceeded(wireName("maxNamespaces"), maxNamespaces, count, "namespace_id");
      return created;
    });
  }

  /** Returns a namespace and, unless it is being deleted, what it holds. Throws NAMESPACE_NOT_FOUND. */
  async get(
    namespaceId: NamespaceId,
    options: CallOptions,
  ): Promise<{ readonly namespace: Namespace; readonly statistics: NamespaceStatistics | undefined }> {
    const namespace = await this.#store.read((em) => getNamespace(em, namespaceId));
    if (namespace.state === "deleting") return { namespace, statistics: undefined };
    return { namespace, statistics: await streamStore(this.#store.engine, namespaceId).statistics(options) };
  }

  /** Lists namespaces by id. Throws PAGE_TOKEN_INVALID. */
  list(request: NamespacesRequest): Promise<ListPage<Namespace>> {
    const { prefix } = request;
    return listPage(
      request,
      ["namespaces", prefix],
      ({ id }) => id,
      async (after, limit) => {
        const where = idsWith(prefix, after);
        return where === undefined
          ? []
          : this.#store.read((em) => em.find(NamespaceEntity, where, { orderBy: { id: "asc" }, limit }));
      },
    );
  }

  /** Changes the description. Throws NAMESPACE_NOT_FOUND. */
  updateDescription(namespaceId: NamespaceId, description: string): Promise<Namespace> {
    return this.#store.transact(async (em) => {
      const namespace = await lockNamespace(em, namespaceId);
      namespace.description = description;
      namespace.updateTime = this.#clock();
      return namespace;
    });
  }

  /**
   * Deletes a namespace with everything in it. Once it has begun, its tokens are refused; when it is cut off, calling it
   * again finishes the work. Throws NAMESPACE_NOT_FOUND.
   */
  async delete(namespaceId: NamespaceId, options: CallOptions): Promise<DeletedNamespace> {
    await this.#store.transact(async (em) => {
      const namespace = await lockNamespace(em, namespaceId);
      if (namespace.state === "deleting") return;
      namespace.state = "deleting";
      namespace.updateTime = this.#clock();
    });
    return this.#oneByOne(() => this.#remove(namespaceId, options));
  }

  /** The row stays locked meanwhile: nobody can create a namespace of this id whose place would then be dropped. */
  #remove(namespaceId: NamespaceId, options: CallOptions): Promise<DeletedNamespace> {
    return this.#store.transact(async (em) => {
      await lockNamespace(em, namespaceId);
      const statistics = await this.#remainingStatistics(namespaceId, options);
      await this.#store.engine.dropNamespace(namespaceId);
      const tokenCount = await em.count(TokenEntity, { namespaceId, revokeTime: null });
      await em.nativeDelete(TokenEntity, { namespaceId });
      await em.nativeDelete(NamespaceEntity, { id: namespaceId });
      return { statistics, tokenCount };
    });
  }

  /** A removal takes two connections: many at once would wait for each other's second one. */
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#deletions.then(work);
    this.#deletions = turn.catch(() => {});
    return turn;
  }

  /** What there is to delete: nothing when an earlier call has come as far as that. */
  async #remainingStatistics(namespaceId: NamespaceId, options: CallOptions): Promise<NamespaceStatistics> {
    try {
      return await streamStore(this.#store.engine, namespaceId).statistics(options);
    } catch (error) {
      if (error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND") return NO_STATISTICS;
      throw error;
    }
  }
}

/** The ids that begin with `prefix` and come after `after`; undefined when there can be none. */
function idsWith(prefix: string, after: string | undefined): FilterQuery<NamespaceRow> | undefined {
  const bounds: FilterQuery<NamespaceRow>[] = after === undefined ? [] : [{ id: { $gt: after } }];
  if (prefix !== "") {
    if (!ID_CHARACTERS.test(prefix)) return undefined;
    // "{" comes right after "z", the greatest character that an id can have.
    bounds.push({ id: { $gte: prefix } }, { id: { $lt: `${prefix}{` } });
  }
  return { $and: bounds };
}
