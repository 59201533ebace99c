/**
 * Which of its own names the hub uses in an answer. Realm, issuer and every absolute URL come from the configuration; the
 * request's Host header only chooses among its entries, so a forged one is never repeated.
 */

/** `host` or `host:port`: the `service` of challenges and the audience of tokens. */
export function serviceOf(origin: string): string {
  return new URL(origin).host;
}

/** The public URL whose host is the request's, or else the first. */
export function chooseOrigin(publicUrls: readonly string[], host: string | undefined): string {
  const wanted = host?.toLowerCase();
  return publicUrls.find((url) => serviceOf(url) === wanted) ?? (publicUrls[0] as string);
}

/** Where tokens come from, for challenges. */
export function realmOf(origin: string): string {
  return new URL('/auth/token', origin).href;
}
