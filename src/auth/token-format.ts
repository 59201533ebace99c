/**
 * What personal tokens look like: `berth_pat_`, 30 random characters, `_`, and a checksum, so that scanners recognise a leaked
 * one and a mistyped one is refused without asking Postgres.
 */
import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'berth_pat_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 30;
const CHECK_CHARACTERS = 6;
const FORMAT = /^berth_pat_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}$/;

/** A new one: 178 random bits. */
export function newPersonalToken(): string {
  const random = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${PREFIX}${random}_${checksum(PREFIX + random)}`;
}

/** Whether it is one that could have been issued. */
export function isPersonalToken(text: string): boolean {
  if (!FORMAT.test(text)) return false;
  const end = PREFIX.length + RANDOM_CHARACTERS;
  return checksum(text.slice(0, end)) === text.slice(end + 1);
}

/** Whether it is meant as one, valid or not: then it is never tried as a password. */
export function looksLikePersonalToken(text: string): boolean {
  return text.startsWith(PREFIX);
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
