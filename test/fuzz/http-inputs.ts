/** Requests that nobody should send: paths, queries and headers near those that the API knows. */
import * as fc from 'fast-check';
import { letterOf } from './text.ts';

const words = (list: string) => list.split(' ');
const PLACES = words('v1 blobs uploads manifests tags list referrers _catalog');
const TRICKS = words('.. . %2e%2e %2F %2f.. %00 % %zz %ff %c0%af %e0%80 ; * %0d%0a');
const PARAMETERS = words('n last ns tag digest mount from digest-algorithm artifactType after __proto__ x');
const NUMBERS = words('0 -1 1 99999999999999999999 1e9 NaN null []');
const HEADERS = words('If-Range If-None-Match If-Match Accept Accept-Encoding Host X-Request-Id');

/** Header values that a client can send at all: no control characters. */
export const value = fc
  .string({ unit: letterOf('abz019-=,;:/*"W \t\u00fc?&'), maxLength: 40 })
  .map((odd) => odd.trim());

const anyText = fc.string({ unit: 'binary', maxLength: 30 }).map((odd) => odd.toWellFormed());

/** A query parameter. `there` are names and digests that exist. */
export function text(there: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    anyText,
    fc.constantFrom(...NUMBERS, ...there, '', '\0', 'ü', "' or 1=1 --", 'sha512', 'x'.repeat(3_000)),
  );
}

export function query(there: readonly string[]): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(fc.constantFrom(...PARAMETERS), text(there)), { maxLength: 4 })
    .map((pairs) => (pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`));
}

/** What Node's client lets through in a path; everything else goes percent-encoded. */
export function path(name: string, there: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(name, '', ...PLACES, ...there) },
    { weight: 2, arbitrary: fc.string({ unit: letterOf("aZ0._-:@~!$&'()*+,;="), maxLength: 20 }) },
    { weight: 2, arbitrary: anyText.map((odd) => encodeURIComponent(odd)) },
    { weight: 1, arbitrary: fc.constantFrom(...TRICKS) },
  );
  const endpoint = fc.constantFrom('manifests', 'blobs', 'blobs/uploads', 'referrers');
  return fc.oneof(
    fc.array(piece, { maxLength: 6 }).map((pieces) => `/v2/${pieces.join('/')}`),
    fc.tuple(endpoint, piece).map(([where, what]) => `/v2/${name}/${where}/${what}`),
    piece.map((odd) => `/v2/${odd}/tags/list`),
    fc.constantFrom('/v2/_catalog', `/v2/${name}/tags/list`, `/v2/${name}/blobs/uploads/`),
  );
}

const range = fc.oneof(
  value,
  fc
    .array(fc.tuple(fc.nat(6_000), fc.nat(6_000)), { minLength: 1, maxLength: 40 })
    .map((list) => `bytes=${list.map(([one, other]) => `${one}-${other}`).join(',')}`),
  fc.string({ unit: letterOf('bytes=0123456789-, '), maxLength: 30 }).map((odd) => odd.trim()),
);

export const readHeaders: fc.Arbitrary<Record<string, string>> = fc
  .tuple(fc.option(range), fc.dictionary(fc.constantFrom(...HEADERS), value, { maxKeys: 4 }))
  .map(([one, others]) => (one === null ? others : { ...others, Range: one }));

export const contentRange = fc.oneof(
  value,
  fc.tuple(fc.nat(300), fc.nat(300)).map(([one, other]) => `${one}-${other}`),
  fc.string({ unit: letterOf('0123456789- /*bytes'), maxLength: 20 }).map((odd) => odd.trim()),
);

/** Scopes of the token endpoint, and the rest of its query. */
export function tokenQuery(name: string): fc.Arbitrary<string> {
  const word = fc.oneof(
    value,
    fc.constantFrom(
      ...words('repository registry catalog * pull push,pull repository(plugin) localhost:5000/a'),
      name,
      '',
    ),
  );
  const scope = fc.oneof(
    fc.array(word, { maxLength: 5 }).map((list) => list.join(':')),
    text([name]),
  );
  const others = fc.dictionary(fc.constantFrom('service', 'account', 'client_id', 'offline_token'), text([name]));
  return fc.tuple(fc.array(scope, { maxLength: 3 }), others).map(([scopes, rest]) => {
    const search = new URLSearchParams(rest);
    for (const one of scopes) search.append('scope', one);
    return search.toString();
  });
}
