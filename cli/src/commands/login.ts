/** `berth login`, `logout`, `whoami`. */
import { hostname } from 'node:os';
import { usage } from '../errors.ts';
import { ask, readStdin } from '../prompt.ts';
import { connect, hubOrigin, openHub, type Session } from '../session.ts';
import {
  dropCredentials,
  findCredentials,
  keepCredentials,
  originOf,
  readSettings,
  writeSettings,
} from '../settings.ts';

export interface LoginOptions {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly helper?: string;
  readonly days: number;
}

interface Me {
  readonly name: string;
  readonly kind: string;
  readonly admin: boolean;
  readonly credential: string;
  readonly actions?: readonly string[];
  readonly paths?: readonly string[];
  readonly expires_at?: string;
}

/** Signs in with a token, or with a password, in whose place a new token is kept. */
export async function login(session: Session, named: string | undefined, options: LoginOptions): Promise<void> {
  const origin = named === undefined ? await hubOrigin(session) : originOf(named);
  const { passwordStdin } = options;
  const username = options.username ?? (await ask(session, 'User: ', 'Say who: --username NAME'));
  const secret = passwordStdin
    ? await readStdin()
    : await ask(session, 'Password or token: ', 'Give the password on standard input with --password-stdin', true);
  if (secret === '') throw usage('The password is empty');
  const hub = connect(session, origin, { username, secret });
  try {
    const me = await hub.json<Me>('GET', '/api/v1/me');
    let kept = { username: me.name, secret };
    if (me.credential === 'password') {
      const body = {
        name: `berth on ${hostname()}`,
        actions: ['pull', 'push', 'delete'],
        expires_in_days: options.days,
      };
      const { token } = await hub.json<{ token: string }>('POST', '/api/v1/me/tokens', body);
      kept = { username: me.name, secret: token };
    }
    if (options.helper !== undefined)
      await writeSettings(session.env, { ...(await readSettings(session.env)), helper: options.helper });
    await keepCredentials(session.env, origin, kept);
    await writeSettings(session.env, { ...(await readSettings(session.env)), current: origin });
    session.output.result({ hub: origin, name: me.name }, `signed in at ${origin} as ${me.name}`, origin);
  } finally {
    hub.close();
  }
}

export async function logout(session: Session, named: string | undefined): Promise<void> {
  const origin = named === undefined ? await hubOrigin(session) : originOf(named);
  const gone = await dropCredentials(session.env, origin);
  const { current, ...settings } = await readSettings(session.env);
  if (current === origin) await writeSettings(session.env, settings);
  const said = gone
    ? `signed out of ${origin}; the token itself holds until it ends, or until berth tokens rm`
    : `nobody was signed in at ${origin}`;
  session.output.result({ hub: origin, signed_out: gone }, said, origin);
}

export async function whoami(session: Session): Promise<void> {
  const hub = await openHub(session);
  try {
    const me = await hub.json<Me>('GET', '/api/v1/me');
    const limits = [me.actions && `may ${me.actions.join(', ')}`, me.expires_at && `until ${me.expires_at}`];
    const more = [`at ${hub.origin}`, ...limits.filter((text) => text !== undefined)].join(', ');
    session.output.answer({ hub: hub.origin, ...me }, `${me.name} ${more}`, me.name);
  } finally {
    hub.close();
  }
}

/** The password itself, for what a token may not do. */
export async function withPassword(session: Session, options: { username?: string; passwordStdin?: boolean }) {
  const origin = await hubOrigin(session);
  const known = options.username ?? (await findCredentials(session.env, origin))?.username;
  const username = known ?? (await ask(session, 'User: ', 'Say who: --username NAME'));
  const instead = 'A token cannot do this; give your password on standard input with --password-stdin';
  const secret = options.passwordStdin
    ? await readStdin()
    : await ask(session, `Password of ${username}: `, instead, true);
  return connect(session, origin, { username, secret });
}
