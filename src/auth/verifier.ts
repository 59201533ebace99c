/** What each kind of credential brings: a way to tell that it is meant, and a way to check it. One file for each kind. */
import type { Credentials } from './authorization.ts';
import type { Principal } from './principal.ts';

export interface Verifier {
  /**
   * Whether the credentials are meant as this kind, valid or not. The first verifier that says so decides alone, so that
   * nothing is tried as something else: a mistyped token never becomes a password to guess with. Cheap; asks nobody.
   */
  recognises(credentials: Credentials): boolean;
  /**
   * Only called with what it recognises.
   * @param address of the client, for slowing down guesses
   * @throws {InvalidCredentials | TooManyAttempts}
   */
  check(credentials: Credentials, address: string): Promise<Checked>;
  /** It has a memory of its own that is better than asking the authenticator's; then `check` is called each time. */
  readonly remembers?: true;
  /** Resolves when nothing that requests left behind is under way. */
  settled?(): Promise<void>;
}

/** Good credentials. The authenticator may use them again for five minutes, and never beyond `principal.expiresAt`. */
export interface Checked {
  readonly principal: Principal;
  /** Called at each use, whether it was checked for it or remembered. Returns at once. */
  readonly used?: () => void;
}

/** A token is sent as Bearer, or as the password beside a user name. */
export function tokenIn(credentials: Credentials): { readonly token: string; readonly username: string } {
  switch (credentials.scheme) {
    case 'bearer':
      return { token: credentials.token, username: '' };
    case 'basic':
      return { token: credentials.password, username: credentials.username };
    case 'session':
      return { token: '', username: '' };
  }
}

/** Clients that only have a token send no name beside it, or `<token>`; another name than the token's is a mistake. */
export function mayAccompany(username: string, name: string): boolean {
  return username === '' || username === '<token>' || username.toLowerCase() === name;
}
