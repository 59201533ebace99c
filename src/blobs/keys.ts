/**
 * Every key in the store is made here.
 *
 *   objects/
 *     4f/                          first byte of the random part: spreads directories and S3 prefixes
 *       4f9c…(32 hex)              one object, finished or not; a blob row or an upload row names it
 *       4f9c….tail0, .tail1        S3 only: the bytes of an unfinished object that are too few for a part
 *   instance                       the hub's instance id, equal to the one in Postgres
 */
import { randomBytes } from 'node:crypto';

/** A new key: 128 random bits, so a key is never used twice and says nothing about its content. */
export function newKey(): string {
  const id = randomBytes(16).toString('hex');
  return `objects/${id.slice(0, 2)}/${id}`;
}

/** The two names that the bytes below S3's part minimum take in turn: the one the row names is never overwritten. */
export function tailKeys(key: string): readonly [string, string] {
  return [`${key}.tail0`, `${key}.tail1`];
}

/** Holds the instance id, so that a hub never works on another hub's bytes. */
export const INSTANCE_KEY = 'instance';
