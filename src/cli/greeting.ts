import { tokenPath } from "../areas/namespaces/area.ts";
import type { Config } from "../config/config.ts";
import { VERSION } from "../kernel/version.ts";
import { IN_MEMORY } from "../open-store.ts";
import type { StartInfo } from "./start-info.ts";

const STREAM = "greeting-1";
const APPEND = { streamName: STREAM, messages: [{ type: "Greeted", data: '{"text":"hello"}' }] };

/** The text printed at a start: the address of the server, where the first tokens are, and commands to paste. */
export function greeting({ url, engine, made, hasDefaultToken }: StartInfo, config: Config): string {
  const place = engine === "sqlite" ? `SQLite in ${config.dataDir}` : "PostgreSQL";
  const lines = [`Satchel ${VERSION} on ${place}`, "", `  ${url}`, ""];
  if (config.dataDir !== IN_MEMORY && made.rootToken !== undefined)
    lines.push(`The operator's root token is in ${tokenPath(config.dataDir, "rootToken")}`);
  else if (made.rootToken !== undefined) lines.push(`The operator's root token is ${made.rootToken}`);
  if (made.defaultNamespaceToken !== undefined)
    lines.push(`The token of the namespace "default" is ${made.defaultNamespaceToken}`);
  if (made.rootToken !== undefined || made.defaultNamespaceToken !== undefined) lines.push("");
  if (hasDefaultToken) {
    const token =
      made.defaultNamespaceToken ?? `$(cat ${shellQuoted(tokenPath(config.dataDir, "defaultNamespaceToken"))})`;
    lines.push("Append a message, and read it back:", "", curl(config, url, token, "AppendMessages", APPEND), "");
    lines.push(curl(config, url, token, "GetStreamMessages", { streamName: STREAM }), "");
  }
  return `${lines.join("\n")}\n`;
}

function curl({ tlsCert, tlsClientCa }: Config, url: string, token: string, method: string, body: unknown): string {
  const tls =
    tlsCert === undefined
      ? ""
      : ` --cacert ${shellQuoted(tlsCert)}${tlsClientCa === undefined ? "" : " --cert CLIENT.crt --key CLIENT.key"}`;
  const headers = `-H "authorization: Bearer ${token}" -H 'content-type: application/json'`;
  return `curl -sS${tls} ${url}/satchel.v1.StreamService/${method} ${headers} -d ${shellQuoted(JSON.stringify(body))}`;
}

function shellQuoted(text: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
