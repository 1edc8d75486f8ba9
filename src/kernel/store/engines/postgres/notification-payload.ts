/** PostgreSQL refuses payloads from 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_500;

/** What processes tell each other. */
export interface Payload {
  /** Which process has sent it: its own followers know already. */
  readonly from: string;
  /** Topics by namespace; null = too many to tell. */
  readonly appended?: Readonly<Record<string, readonly string[] | null>>;
  /** That it listens: from now on, as an answer to who has said so, or still. */
  readonly greeting?: Greeting;
}

export type Greeting = (typeof GREETINGS)[number];

const GREETINGS = ["hello", "answer", "alive"] as const;

/** Undefined for what is none: whoever may connect to the database may notify, and so does another version of this. */
export function parsePayload(text: string): Payload | undefined {
  try {
    const payload: unknown = JSON.parse(text);
    return isPayload(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}

function isPayload(value: unknown): value is Payload {
  if (!isRecord(value) || typeof value["from"] !== "string") return false;
  const { appended, greeting } = value;
  if (appended === undefined) return GREETINGS.some((known) => known === greeting);
  return isRecord(appended) && Object.values(appended).every((topics) => topics === null || isTopics(topics));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTopics(value: unknown): boolean {
  return Array.isArray(value) && value.every((topic) => typeof topic === "string");
}

/** As many payloads as are needed for all namespaces; one whose topics do not fit is named without them. */
export function payloadsOf(from: string, gathered: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const payloads: string[] = [];
  let appended: Record<string, readonly string[] | null> = {};
  const payload = (): string => JSON.stringify({ from, appended });
  for (const [namespaceId, topics] of gathered) {
    const before = { ...appended };
    appended[namespaceId] = [...topics];
    if (Buffer.byteLength(payload()) <= MAX_PAYLOAD_BYTES) continue;
    if (Object.keys(before).length > 0) {
      const whole = appended[namespaceId];
      appended = before;
      payloads.push(payload());
      appended = { [namespaceId]: whole ?? null };
    }
    if (Buffer.byteLength(payload()) > MAX_PAYLOAD_BYTES) appended[namespaceId] = null;
  }
  if (Object.keys(appended).length > 0) payloads.push(payload());
  return payloads;
}
