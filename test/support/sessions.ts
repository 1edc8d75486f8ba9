import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type {
  CreateSessionRequestSchema,
  CreateSessionResponse,
  Session,
} from "../../src/gen/satchel/v1/sessions_pb.ts";
import { SessionService } from "../../src/gen/satchel/v1/sessions_pb.ts";
import type { Harness, TestNamespace } from "./harness.ts";
import { inCategory, readAll } from "./streams.ts";

export type SessionClient = Client<typeof SessionService>;

/** A namespace whose sessions a test uses. */
export interface SessionNamespace extends TestNamespace {
  /** Calls with the namespace's first token. */
  readonly sessions: SessionClient;
}

export const SECOND = 1_000_000n;
export const MINUTE = 60n * SECOND;
export const DAY = 24n * 60n * MINUTE;

/** A new namespace. */
export async function sessionNamespace(h: Harness): Promise<SessionNamespace> {
  const namespace = await h.namespace();
  return { ...namespace, sessions: h.holding(SessionService, `Bearer ${namespace.token}`) };
}

/** Calls with a token of a session. */
export function asUser(h: Harness, token: string): SessionClient {
  return h.holding(SessionService, `Bearer ${token}`);
}

/** Calls as a service that acts for a user. */
export function actingAs(h: Harness, { token }: TestNamespace, userId: string): SessionClient {
  return h.holding(SessionService, `Bearer ${token}`, { "satchel-user": encodeURIComponent(userId) });
}

/** A session that was just created, and its token. */
export interface Login {
  readonly id: string;
  readonly token: string;
  readonly session: Session;
  readonly response: CreateSessionResponse;
}

/** Creates a session. */
export async function logIn(
  sessions: SessionClient,
  request: MessageInitShape<typeof CreateSessionRequestSchema> = {},
): Promise<Login> {
  const response = await sessions.createSession({ userId: "ann", ...request });
  const session = response.session!;
  return { id: session.sessionId, token: response.token, session, response };
}

/** Does something at a later time, and comes back. */
export async function later<T>(h: Harness, micros: bigint, work: () => Promise<T>): Promise<T> {
  h.passTime(micros);
  try {
    return await work();
  } finally {
    h.passTime(-micros);
  }
}

/** A length of time, as requests have it. */
export function lasting(micros: bigint): { seconds: bigint; nanos: number } {
  return { seconds: micros / SECOND, nanos: Number(micros % SECOND) * 1_000 };
}

/** The journal of the sessions: of each message its type and data. */
export async function journalOf(
  { streams }: TestNamespace,
  sessionId?: string,
): Promise<{ readonly type: string; readonly data: Record<string, unknown> }[]> {
  const { messages } = await readAll(streams, { selector: inCategory("$session") });
  return messages
    .filter(({ streamName }) => sessionId === undefined || streamName === `$session-${sessionId}`)
    .map(({ type, data }) => ({ type, data: JSON.parse(data ?? "{}") as Record<string, unknown> }));
}

/** What has happened to a session, in order. */
export async function eventsOf(namespace: TestNamespace, sessionId?: string): Promise<string[]> {
  return (await journalOf(namespace, sessionId)).map(({ type }) => type);
}
