/** Credentials, and the Authorization header parsed into them (RFC 7617, RFC 6750). */

export type Credentials =
  | { readonly scheme: 'basic'; readonly username: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string }
  /** Out of a cookie, never out of the header. */
  | { readonly scheme: 'session'; readonly secret: string };

/** As long as all headers together may be: the tokens of builds are large. */
const LONGEST = 16 * 1024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BEARER = /^[A-Za-z0-9._~+/-]+=*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined when it is malformed or of another scheme. */
export function parseAuthorization(header: string): Credentials | undefined {
  if (header.length > LONGEST) return undefined;
  const space = header.indexOf(' ');
  if (space < 0) return undefined;
  const value = header.slice(space + 1).trim();
  switch (header.slice(0, space).toLowerCase()) {
    case 'basic':
      return parseBasic(value);
    case 'bearer':
      return BEARER.test(value) ? { scheme: 'bearer', token: value } : undefined;
    default:
      return undefined;
  }
}

function parseBasic(value: string): Credentials | undefined {
  if (!BASE64.test(value)) return undefined;
  let text;
  try {
    text = utf8.decode(Buffer.from(value, 'base64'));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  if (colon < 0 || text.includes('\0')) return undefined;
  return { scheme: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
}
