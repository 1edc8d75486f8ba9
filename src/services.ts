import { ConsumerGroups } from "./areas/groups/consumer-groups.ts";
import type { Consumers } from "./areas/groups/delivery/consumers.ts";
import { ParkedMessages } from "./areas/groups/parked-messages.ts";
import { NamespaceTokens } from "./areas/namespaces/namespace-tokens.ts";
import { Namespaces } from "./areas/namespaces/namespaces.ts";
import { Tokens } from "./areas/namespaces/tokens.ts";
import { describeServer, type ServerInfo } from "./areas/server/server-info.ts";
import { type LoginSessions, loginSessions } from "./areas/sessions/login-sessions.ts";
import type { Feed } from "./areas/streams/feed/feed.ts";
import { Retention } from "./areas/streams/retention/retention.ts";
import { Streams } from "./areas/streams/streams.ts";
import { type Clock, systemClock } from "./kernel/clock.ts";
import type { ServiceKey } from "./kernel/crypto/service-key.ts";
import { ServiceKeys } from "./kernel/crypto/service-keys.ts";
import type { Limits } from "./kernel/limits.ts";
import type { Store } from "./kernel/store/store.ts";

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
