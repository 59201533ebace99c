/** Passwords as argon2id PHC strings: 19 MiB, two passes, one lane (OWASP's first choice); about 15 ms each. */
import type { Algorithm } from '@node-rs/argon2';
import { AccountError, TooManyAttempts } from './errors.ts';
import { createLimiter } from './limiter.ts';

/** Loaded by the first password; most requests bring a token. */
const argon2 = () => import('@node-rs/argon2');

const COST = { algorithm: 2 satisfies Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const SHORTEST = 8;
/** Bytes. Longer input only costs work. */
const LONGEST = 1_024;

/**
 * Two at once leave half of libuv's four threads to the file system; fifty waiting are about a second of work. The limit is
 * the process's, hence a module's variable.
 */
const limiter = createLimiter(2, 50, () => new TooManyAttempts(1));

/** Of a password that nobody has; checked in place of the hash of a user who does not exist. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$C+L3h+6bWWd/5ycIrB+DOQ$21kKneDn30s/pqjdqxU23gjESyPVScuAWBVYWUmZch4';

/**
 * @throws {AccountError} when it is too short or too long to be set
 * @throws {TooManyAttempts} when too many hashes are waiting
 */
export async function hashPassword(password: string): Promise<string> {
  const normal = normalise(password);
  if (Array.from(normal).length < SHORTEST) {
    throw new AccountError('password-too-short', `A password needs at least ${SHORTEST} characters.`);
  }
  if (Buffer.byteLength(normal) > LONGEST) {
    throw new AccountError('password-too-long', `A password may have at most ${LONGEST} bytes.`);
  }
  return limiter.run(async () => (await argon2()).hash(normal, COST));
}

/**
 * Takes the same work whether or not there is a hash to compare with.
 * @param phc undefined for an unknown user or one without a password: the answer is then false
 * @throws {TooManyAttempts} when too many hashes are waiting
 */
export async function verifyPassword(password: string, phc: string | undefined): Promise<boolean> {
  const normal = normalise(password);
  const tooLong = Buffer.byteLength(normal) > LONGEST;
  const matches = await limiter.run(async () => (await argon2()).verify(phc ?? NOBODY, tooLong ? '' : normal));
  return matches && phc !== undefined && !tooLong;
}

/** Keyboards differ in how they compose a character (NIST SP 800-63B-4, 3.1.1.2). */
function normalise(password: string): string {
  return password.normalize('NFKC');
}
