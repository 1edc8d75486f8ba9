import { MIN_ROOT_TOKEN_CHARACTERS } from "../kernel/crypto/token.ts";
import { InvalidValue } from "./variable.ts";

/** The characters that survive in a header. */
const PRINTABLE = /^[!-~]+$/;
/** The origins of web views, as capacitor://localhost. URL.origin of such an address is "null". */
const APP_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:-]+$/;

/** The URL of a PostgreSQL database. Throws InvalidValue. */
export function postgresUrl(value: string): string {
  if (URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol)) return value;
  throw new InvalidValue("must be a URL that begins with postgres:// or postgresql://");
}

/** A token that the operator has chosen. Throws InvalidValue. */
export function operatorToken(value: string): string {
  if (value.length >= MIN_ROOT_TOKEN_CHARACTERS && PRINTABLE.test(value)) return value;
  throw new InvalidValue(`must be at least ${MIN_ROOT_TOKEN_CHARACTERS} printable characters of ASCII, without spaces`);
}

/** The origin of a web page or of a web view; or *, every origin. Throws InvalidValue. */
export function appOrWebOrigin(value: string): string {
  const isWeb = /^https?:/i.test(value);
  if (value === "*" || (isWeb ? URL.canParse(value) && new URL(value).origin === value : APP_ORIGIN.test(value)))
    return value;
  throw new InvalidValue("must list origins, as https://app.example.com");
}
