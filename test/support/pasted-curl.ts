import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { parseArgs, promisify } from "node:util";

/**
 * Does what a line of curl does when it is pasted into a shell, where curl itself may not be installed: the shell takes
 * the line apart, and the request is made here. Returns the body of the answer.
 */
export async function pasteCurl(line: string): Promise<string> {
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}`;
  const { stdout } = await promisify(execFile)("sh", ["-c", script]);
  const { values, positionals } = parseArgs({
    args: stdout.split("\0").slice(0, -1),
    allowPositionals: true,
    options: {
      silent: { type: "boolean", short: "s" },
      "show-error": { type: "boolean", short: "S" },
      insecure: { type: "boolean", short: "k" },
      cacert: { type: "string" },
      header: { type: "string", short: "H", multiple: true, default: [] },
      data: { type: "string", short: "d" },
    },
  });
  const headers = Object.fromEntries(values.header.map((header) => header.split(/: */, 2)));
  // As curl does, a certificate that is itself in the file is trusted, whoever has signed it.
  const tls = {
    allowPartialTrustChain: true,
    rejectUnauthorized: values.insecure !== true,
    ca: values.cacert && (await readFile(values.cacert)),
  };
  return send(
    new URL(positionals[0] ?? ""),
    { method: values.data === undefined ? "GET" : "POST", headers, ...tls },
    values.data,
  );
}

async function send(url: URL, options: object, body: string | undefined): Promise<string> {
  const request = url.protocol === "https:" ? httpsRequest(url, options) : httpRequest(url, options);
  const answered = new Promise<string>((resolve, reject) => {
    request.on("response", (response) => resolve(text(response)));
    request.on("error", reject);
  });
  request.end(body);
  return answered;
}
