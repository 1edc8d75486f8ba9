import { type KeyObject, createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Certificates as tests need them: an authority, and what it signs. */
export interface Authority extends Certificate {
  /** For `localhost` and the loopback addresses, both as a server and as a client. */
  issue(name: string): Certificate;
}

const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const VALID_DAYS = 2;
const DAY_MS = 24 * 3_600_000;

/** Makes an authority. Node reads certificates but writes none, so this encodes the little of X.509 that they need. */
export function createAuthority(name: string): Authority {
  const keys = keyPair();
  const cert = certificate({
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signWith: keys.privateKey,
    authority: true,
  });
  const key = pem("PRIVATE KEY", keys.privateKeyDer);
  return {
    cert,
    key,
    issue(subject) {
      const issued = keyPair();
      return {
        cert: certificate({
          subject,
          issuer: name,
          publicKey: issued.publicKey,
          signWith: keys.privateKey,
          authority: false,
        }),
        key: pem("PRIVATE KEY", issued.privateKeyDer),
      };
    },
  };
}

interface Contents {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: Buffer;
  readonly signWith: KeyObject;
  readonly authority: boolean;
}

function certificate({ subject, issuer, publicKey, signWith, authority }: Contents): string {
  const version3 = tagged(0xa0, integer(Buffer.of(2)));
  const serial = integer(Buffer.concat([Buffer.of(1), randomBytes(8)]));
  const validity = sequence(utcTime(Date.now() - DAY_MS), utcTime(Date.now() + VALID_DAYS * DAY_MS));
  const extensions = tagged(
    0xa3,
    sequence(basicConstraints(authority), ...(authority ? [] : [subjectAlternativeNames()])),
  );
  const body = sequence(
    version3,
    serial,
    ECDSA_WITH_SHA256,
    name(issuer),
    validity,
    name(subject),
    publicKey,
    extensions,
  );
  return pem("CERTIFICATE", sequence(body, ECDSA_WITH_SHA256, bitString(sign("sha256", body, signWith))));
}

function keyPair(): { readonly publicKey: Buffer; readonly privateKey: KeyObject; readonly privateKeyDer: Buffer } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return {
    publicKey,
    privateKey: createPrivateKey({ key: privateKey, format: "der", type: "pkcs8" }),
    privateKeyDer: privateKey,
  };
}

function basicConstraints(authority: boolean): Buffer {
  const critical = tagged(0x01, Buffer.of(0xff));
  return sequence(oid("2.5.29.19"), critical, octetString(authority ? sequence(critical) : sequence()));
}

function subjectAlternativeNames(): Buffer {
  const names = [
    tagged(0x82, Buffer.from("localhost")),
    tagged(0x87, Buffer.of(127, 0, 0, 1)),
    tagged(0x87, Buffer.from(`${"00".repeat(15)}01`, "hex")),
  ];
  return sequence(oid("2.5.29.17"), octetString(sequence(...names)));
}

function name(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid("2.5.4.3"), tagged(0x0c, Buffer.from(commonName)))));
}

function utcTime(ms: number): Buffer {
  return tagged(0x17, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14)}Z`));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function sequence(...items: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function octetString(bytes: Buffer): Buffer {
  return tagged(0x04, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(0), bytes]));
}

function tagged(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), contents]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
