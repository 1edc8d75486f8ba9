import {
  createClient,
  NO_STREAM,
  type SatchelClient,
  SatchelClientError,
  type WebOptions,
} from "../../../clients/typescript/src/web.ts";

declare global {
  interface Window {
    /** Calls the server in every way that a browser can; resolves with a line for each check. */
    runChecks(url: string, token: string): Promise<string>;
    /** Makes one call; resolves with the reason of its failure. */
    callOnce(url: string, token: string): Promise<string>;
  }
}

const WAYS: Readonly<Record<string, Omit<WebOptions, "baseUrl">>> = {
  "Connect with JSON": {},
  "Connect with protobuf and GET": { binary: true, useHttpGet: true },
  "gRPC-Web": { protocol: "grpc-web" },
};
const MESSAGES = 3_000;
const BATCH = 1_000;

window.runChecks = async (url, token) => {
  const lines: string[] = [];
  const check = async (name: string, work: () => Promise<boolean>): Promise<void> => {
    try {
      lines.push((await work()) ? `ok ${name}` : `FAIL ${name}: not as expected`);
    } catch (error) {
      lines.push(`FAIL ${name}: ${String(error).replaceAll("\n", " ")}`);
    }
  };
  for (const [index, [way, options]] of Object.entries(WAYS).entries()) {
    const client = createClient({ baseUrl: url, token, ...options });
    await checkWay(client, `page${index}-1`, (name, work) => check(`${way} ${name}`, work));
  }
  const stranger = createClient({ baseUrl: url, token: "satn_wrong" });
  await check(
    "a wrong token is refused",
    async () => (await reasonOf(stranger.streams.version("a-1"))) === "CREDENTIAL_INVALID",
  );
  return [...lines, "done"].join("\n");
};

window.callOnce = async (url, token) => {
  const client = createClient({ baseUrl: url, token, retry: false });
  return reasonOf(client.streams.version("page0-1"));
};

type Check = (name: string, work: () => Promise<boolean>) => Promise<void>;

async function checkWay({ streams }: SatchelClient, streamName: string, check: Check): Promise<void> {
  const id = crypto.randomUUID();
  const data = { text: "Grüße 👋", total: 9007199254740993n };
  await check("appends", async () => {
    const [appended] = await streams.append(streamName, [{ id, type: "Said", data }], { expectedVersion: NO_STREAM });
    return appended?.position === 0n && !appended.deduplicated;
  });
  await check("recognises a repeat", async () => {
    const [appended] = await streams.append(streamName, [{ id, type: "Said", data }], { expectedVersion: NO_STREAM });
    return appended?.deduplicated === true;
  });
  await check("reads it back exactly", async () => {
    const message = await streams.lastMessage(streamName);
    const read = message?.json({ bigints: true }) as typeof data;
    return read.text === data.text && read.total === data.total && (await streams.version(streamName)) === 0n;
  });
  await check("tells a conflict with its versions", async () => {
    const error = await failureOf(streams.append(streamName, [{ type: "Said" }], { expectedVersion: 41 }));
    const [conflict] = error.conflicts;
    show(`${error.reason}: expected ${conflict?.expected}, actual ${conflict?.actual}`);
    return conflict?.streamName === streamName && conflict.expected === 41n && conflict.actual === 0n;
  });
  await check(`streams ${MESSAGES} messages`, async () => {
    const category = streamName.replace("-1", "many");
    for (let first = 0; first < MESSAGES; first += BATCH) {
      await streams.append(
        `${category}-1`,
        Array.from({ length: BATCH }, (_, n) => ({ type: "n", data: { n: first + n } })),
      );
    }
    let next = 0;
    for await (const message of streams.read({ category })) {
      if ((message.json() as { n: number }).n !== next++) return false;
    }
    return next === MESSAGES;
  });
}

async function failureOf(call: Promise<unknown>): Promise<SatchelClientError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof SatchelClientError) return error;
    throw error;
  }
  throw new Error("the call has succeeded");
}

async function reasonOf(call: Promise<unknown>): Promise<string> {
  return (await failureOf(call)).reason;
}

function show(text: string): void {
  const element = document.querySelector("#error") ?? document.body.appendChild(document.createElement("p"));
  element.id = "error";
  element.textContent = text;
}
