import { type Clock, systemClock } from "../domain/clock.ts";
import type { Limits } from "../domain/limits.ts";
import type { ServiceKey } from "../domain/service-key.ts";
import type { Feed } from "../feed/feed.ts";
import type { Consumers } from "../groups/consumers.ts";
import type { Store } from "../store/store.ts";
import { ConsumerGroups } from "./consumer-groups.ts";
import { type LoginSessions, loginSessions } from "./login-sessions.ts";
import { NamespaceTokens } from "./namespace-tokens.ts";
import { Namespaces } from "./namespaces.ts";
import { ParkedMessages } from "./parked-messages.ts";
import { Retention } from "./retention.ts";
import { describeServer, type ServerInfo } from "./server-info.ts";
import { ServiceKeys } from "./service-keys.ts";
import { Streams } from "./streams.ts";
import { Tokens } from "./tokens.ts";

/** The use cases, one object per area. */
export interface Services {
  readonly streams: Streams;
  readonly consumerGroups: ConsumerGroups;
  readonly parkedMessages: ParkedMessages;
  readonly retention: Retention;
  readonly sessions: LoginSessions;
  readonly namespaces: Namespaces;
  readonly namespaceTokens: NamespaceTokens;
  readonly tokens: Tokens;
  readonly serverInfo: ServerInfo;
  /** The time by which everything expires. */
  readonly clock: Clock;
}

/** What the use cases are built on. */
export interface ServicesOptions {
  readonly store: Store;
  readonly feed: Feed;
  readonly consumers: Consumers;
  readonly limits: Limits;
  /** Satchel's version. */
  readonly version: string;
  /** The operator's own root token; unset = the one that `bootstrap` has generated. */
  readonly rootToken?: string | undefined;
  /** The operator's own service keys; none = the one that the store keeps. */
  readonly serviceKeys?: readonly ServiceKey[] | undefined;
  readonly clock?: Clock | undefined;
}

/** Builds the use cases. */
export function createServices({
  store,
  feed,
  consumers,
  limits,
  version,
  rootToken,
  serviceKeys,
  clock = systemClock(),
}: ServicesOptions): Services {
  const sessions = loginSessions({ store, keys: new ServiceKeys(store, serviceKeys), limits, clock });
  return {
    sessions,
    streams: new Streams(store, feed, limits),
    consumerGroups: new ConsumerGroups(store, consumers, limits, clock),
    parkedMessages: new ParkedMessages(store, consumers, limits),
    retention: new Retention(store, limits, clock),
    namespaces: new Namespaces(store, limits, clock),
    namespaceTokens: new NamespaceTokens(store, limits, clock),
    tokens: new Tokens(store, {
      rootToken,
      clock,
      authenticateUser: (token, use) => sessions.validation.authenticate(token, use),
    }),
    clock,
    serverInfo: describeServer(version, store.dialect.engine, limits),
  };
}
