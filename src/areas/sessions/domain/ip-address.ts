import { createHmac } from "node:crypto";
import type { ServiceKey } from "../../../kernel/crypto/service-key.ts";
import type { AddressPolicy } from "./session-policy.ts";

const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const IPV6_CHARACTERS = /^[0-9a-f:.]+$/i;
/** How a socket for both families shows an IPv4 address; in canonical form. */
const MAPPED_IPV4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
const GROUPS = 8;
const KEPT_GROUPS = 3;

/** An IP address in its canonical form, without a zone, IPv4 wherever it is that; undefined when the text is none. */
export function parseIpAddress(text: string): string | undefined {
  if (IPV4.test(text)) return text.split(".").map(Number).join(".");
  const url = `http://[${text}]/`;
  if (!IPV6_CHARACTERS.test(text) || !URL.canParse(url)) return undefined;
  const address = new URL(url).hostname.slice(1, -1);
  const [, high, low] = MAPPED_IPV4.exec(address) ?? [];
  return high === undefined || low === undefined ? address : ipv4Of(parseInt(high, 16), parseInt(low, 16));
}

/** A canonical address as a policy keeps it; `scope` makes hashes of different namespaces differ. */
export function keepAddress(address: string, policy: AddressPolicy, scope: string, key: ServiceKey): string {
  if (address === "" || policy === "whole") return address;
  if (policy === "truncated") return address.includes(":") ? truncateIpv6(address) : truncateIpv4(address);
  const mac = createHmac("sha256", key.secret).update(`satchel address\n${scope}\n${address}`).digest("hex");
  return `hash:${mac.slice(0, 32)}`;
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

function truncateIpv4(address: string): string {
  return `${address.slice(0, address.lastIndexOf("."))}.0`;
}

function truncateIpv6(address: string): string {
  const [head = "", tail = ""] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: GROUPS - first.length - last.length }, () => "0");
  const kept = [...first, ...(address.includes("::") ? zeros : []), ...last].slice(0, KEPT_GROUPS);
  return parseIpAddress(`${kept.join(":")}::`) ?? "::";
}
