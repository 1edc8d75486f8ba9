import type { SessionRow } from "./session.ts";

type SessionValue = string | number | bigint | Uint8Array | null;
export type ColumnKind = "text" | "integer" | "bigint" | "bytes";

/** The columns of a session, as a validation reads them past the ORM. */
export const SESSION_COLUMNS = {
  id: "text",
  userId: "text",
  deviceId: "text",
  tokenHash: "bytes",
  tokenKey: "text",
  tokenGeneration: "integer",
  tokenExpireTime: "bigint",
  previousHash: "bytes",
  previousExpireTime: "bigint",
  createTime: "bigint",
  authenticateTime: "bigint",
  lastActivityTime: "bigint",
  idleTimeout: "bigint",
  touchInterval: "bigint",
  idleExpireTime: "bigint",
  absoluteExpireTime: "bigint",
  sweepTime: "bigint",
  endTime: "bigint",
  endReason: "text",
  endComment: "text",
  aal: "integer",
  amr: "text",
  actorId: "text",
  impersonationReason: "text",
  clientType: "text",
  clientVersion: "text",
  userAgent: "text",
  ipAddress: "text",
  location: "text",
  deviceName: "text",
  metadata: "text",
  requestId: "text",
  version: "integer",
} as const satisfies Record<Exclude<keyof SessionRow, symbol>, ColumnKind>;

const COLUMNS = Object.entries(SESSION_COLUMNS);

const CHANGING = [
  "tokenHash",
  "tokenKey",
  "tokenGeneration",
  "tokenExpireTime",
  "previousHash",
  "previousExpireTime",
  "authenticateTime",
  "lastActivityTime",
  "idleExpireTime",
  "sweepTime",
  "endTime",
  "endReason",
  "endComment",
  "aal",
  "amr",
  "version",
] as const satisfies readonly (keyof typeof SESSION_COLUMNS)[];

function columnOf(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The columns in SQL, in order; bytes as `bytesAs` puts them. */
export function sessionColumns(bytesAs: (column: string) => string = (column) => column): string {
  return COLUMNS.map(([property, kind]) => {
    const column = columnOf(property);
    return kind === "bytes" ? bytesAs(column) : column;
  }).join(", ");
}

/** The values of a session, in the order of the columns. */
export function sessionValues(session: SessionRow): readonly SessionValue[] {
  return COLUMNS.map(([property]) => (session as Readonly<Record<string, SessionValue>>)[property] ?? null);
}

/** The columns that the life of a session changes, in SQL with a parameter each, which `parameter` names by its index. */
export function changedColumns(parameter: (index: number, kind: ColumnKind) => string): string {
  return CHANGING.map(
    (property, index) => `${columnOf(property)} = ${parameter(index, SESSION_COLUMNS[property])}`,
  ).join(", ");
}

/** Their values. */
export function changedValues(session: SessionRow): readonly SessionValue[] {
  return CHANGING.map((property) => session[property] ?? null);
}

/** How many they are. */
export function changedCount(): number {
  return CHANGING.length;
}

/** The columns of a device that are those of a session created on it. */
export const DEVICE_COLUMNS =
  "user_id, device_id, first_seen_time, last_seen_time, client_type, client_version, user_agent, ip_address, location, device_name";

/** Their values, in this order. */
export function deviceValues(session: SessionRow): readonly SessionValue[] {
  const { userId, deviceId, createTime, clientType, clientVersion, userAgent, ipAddress, location, deviceName } =
    session;
  const client = [clientType, clientVersion, userAgent, ipAddress, location, deviceName];
  return [userId, deviceId ?? null, createTime, createTime, ...client];
}

/** The session of a row, whose values `convert` turns into what the kinds say. */
export function sessionOf<Value>(
  row: readonly (Value | null)[],
  convert: { readonly [Kind in ColumnKind]: (value: Value) => unknown },
): SessionRow {
  const session: Record<string, unknown> = {};
  for (let index = 0; index < COLUMNS.length; index++) {
    const [property, kind] = COLUMNS[index]!;
    const value = row[index];
    session[property] = value === null || value === undefined ? null : convert[kind](value);
  }
  return session as SessionRow;
}
