/**
 * What the hub's own tokens look like: a prefix that says whose they are, 30 random characters, `_`, and a checksum, so that
 * scanners recognise a leaked one and a mistyped one is refused without asking Postgres.
 */
import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** By the kind of principal that a token belongs to; all of one length. */
const PREFIXES = { user: 'berth_pat_', robot: 'berth_bot_' } as const;
export type TokenOwner = keyof typeof PREFIXES;

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 30;
const CHECK_CHARACTERS = 6;
const FORMAT = /^(berth_(?:pat|bot)_)[0-9A-Za-z]{30}_[0-9A-Za-z]{6}$/;

/** A new one: 178 random bits. */
export function newToken(owner: TokenOwner): string {
  const random = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const text = PREFIXES[owner] + random;
  return `${text}_${checksum(text)}`;
}

/** Whose kind of token it is, if it is one that could have been issued. */
export function tokenOwner(text: string): TokenOwner | undefined {
  const prefix = FORMAT.exec(text)?.[1];
  if (prefix === undefined) return undefined;
  const end = prefix.length + RANDOM_CHARACTERS;
  if (checksum(text.slice(0, end)) !== text.slice(end + 1)) return undefined;
  return prefix === PREFIXES.user ? 'user' : 'robot';
}

/** Whether it is meant as one, valid or not: then it is never tried as a password. */
export function looksLikeToken(text: string): boolean {
  return Object.values(PREFIXES).some((prefix) => text.startsWith(prefix));
}

/** What is stored: with so many random bits a fast hash is as good as a slow one, and can be looked up by index. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** CRC-32 in base 62, most significant digit first. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECK_CHARACTERS; i++) {
    digits = ALPHABET[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
