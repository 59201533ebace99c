/** Who is asking, together with facts that are as fresh as the request. */
import type { Authenticator, Authorization } from './authenticate.ts';
import { isStale } from './gate.ts';
import type { Principal, Target } from './principal.ts';

/** What a request says about its sender. */
export interface Caller {
  readonly authorization: Authorization | undefined;
  /** Of the client, for slowing down guesses; from a trusted source only. */
  readonly address: string | undefined;
}

/** Facts about a principal that carry its epoch as it is now. */
type Stamped = Pick<Target, 'principalEpoch'>;

export interface Identified<T extends Stamped> {
  readonly principal: Principal;
  readonly facts: T;
}

/**
 * Checks the credentials and looks at the facts for whoever it is. A remembered password or token whose owner has changed
 * since is checked once more: a password that was right before some token was revoked is still right.
 * @param look reads the facts for a principal's id (0: anonymous)
 * @throws {InvalidCredentials | TooManyAttempts}
 */
export async function identify<T extends Stamped>(
  authenticator: Authenticator,
  { authorization, address }: Caller,
  look: (principalId: number) => Promise<T>,
): Promise<Identified<T>> {
  const principal = await authenticator.authenticate(authorization, address);
  const facts = await look(principal.id);
  if (authorization === undefined || !isStale(principal, facts)) return { principal, facts };
  // A registry token carries its epoch itself: checking it again changes nothing.
  if (principal.credential === 'registry_token') return { principal, facts };
  authenticator.forget(authorization);
  const again = await authenticator.authenticate(authorization, address);
  return { principal: again, facts: await look(again.id) };
}
