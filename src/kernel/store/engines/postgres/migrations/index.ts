import { CONTROL_0001 } from "./control-0001.sql.ts";
import { CONTROL_0002 } from "./control-0002.sql.ts";
import { NAMESPACE_0001_APPEND } from "./namespace-0001-append.sql.ts";
import { NAMESPACE_0001_MESSAGE_DB } from "./namespace-0001-message-db.sql.ts";
import { NAMESPACE_0001_MESSAGES } from "./namespace-0001-messages.sql.ts";
import { NAMESPACE_0001_VIEWS } from "./namespace-0001-views.sql.ts";
import { NAMESPACE_0002_APPEND_ALL } from "./namespace-0002-append-all.sql.ts";
import { NAMESPACE_0002_APPEND } from "./namespace-0002-append.sql.ts";
import { NAMESPACE_0002_REMOVAL } from "./namespace-0002-removal.sql.ts";
import { NAMESPACE_0003_CONSUMER_GROUPS } from "./namespace-0003-consumer-groups.sql.ts";
import { NAMESPACE_0004_SESSIONS } from "./namespace-0004-sessions.sql.ts";
import { NAMESPACE_0005_READS } from "./namespace-0005-reads.sql.ts";
import { NAMESPACE_0006_PAGES } from "./namespace-0006-pages.sql.ts";
import { NAMESPACE_0007_COUNTS } from "./namespace-0007-counts.sql.ts";

/** One step of a schema: SQL without schema names, run with the schema as search_path. Never changed once released. */
export interface Migration {
  /** Ascending from 1 without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The control plane's schema, step by step. */
export const CONTROL_MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "namespaces and tokens", sql: CONTROL_0001 },
  { version: 2, name: "sweeps", sql: CONTROL_0002 },
];

/** The schema of a namespace, step by step. */
export const NAMESPACE_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "messages",
    sql: NAMESPACE_0001_MESSAGES + NAMESPACE_0001_MESSAGE_DB + NAMESPACE_0001_VIEWS + NAMESPACE_0001_APPEND,
  },
  { version: 2, name: "retention", sql: NAMESPACE_0002_REMOVAL + NAMESPACE_0002_APPEND + NAMESPACE_0002_APPEND_ALL },
  { version: 3, name: "consumer groups", sql: NAMESPACE_0003_CONSUMER_GROUPS },
  { version: 4, name: "sessions", sql: NAMESPACE_0004_SESSIONS },
  { version: 5, name: "reads", sql: NAMESPACE_0005_READS },
  { version: 6, name: "pages", sql: NAMESPACE_0006_PAGES },
  { version: 7, name: "counts", sql: NAMESPACE_0007_COUNTS },
];
