/** `berth tokens`: personal tokens, listed with any credentials, made and revoked with the password. */
import { columns } from '../output.ts';
import { confirm } from '../prompt.ts';
import { openHub, type Session } from '../session.ts';
import { withPassword } from './login.ts';

interface Token {
  readonly id: string;
  readonly name: string;
  readonly actions: readonly string[];
  readonly paths?: readonly string[];
  readonly expires_at: string;
  readonly last_used_at?: string;
}

export interface PasswordOptions {
  readonly username?: string;
  readonly passwordStdin?: boolean;
}

export async function listTokens(session: Session): Promise<void> {
  const hub = await openHub(session);
  try {
    const tokens = await hub.list<Token>('/api/v1/me/tokens');
    const rows = tokens.map(({ id, name, actions, paths, expires_at, last_used_at }) => [
      id,
      name,
      actions.join(','),
      paths?.join(',') ?? '**',
      expires_at.slice(0, 10),
      last_used_at?.slice(0, 10) ?? 'never',
    ]);
    const table = columns([['ID', 'NAME', 'ACTIONS', 'PATHS', 'EXPIRES', 'LAST USED'], ...rows]);
    session.output.answer(
      tokens,
      table,
      tokens.map(({ id }) => id),
    );
  } finally {
    hub.close();
  }
}

export async function createToken(
  session: Session,
  name: string,
  options: PasswordOptions & { actions: readonly string[]; paths?: readonly string[]; days: number },
): Promise<void> {
  const hub = await withPassword(session, options);
  const { actions, paths, days } = options;
  try {
    const body = { name, actions, ...(paths && { paths }), expires_in_days: days };
    const made = await hub.json<Token & { token: string }>('POST', '/api/v1/me/tokens', body);
    session.output.note('The token is shown this once:');
    session.output.answer(made, made.token);
  } finally {
    hub.close();
  }
}

export async function removeToken(
  session: Session,
  id: string,
  options: PasswordOptions & { yes?: boolean },
): Promise<void> {
  await confirm(session, `Revoke token ${id}`, options.yes);
  const hub = await withPassword(session, options);
  try {
    await hub.ask({ method: 'DELETE', path: `/api/v1/me/tokens/${encodeURIComponent(id)}` });
    session.output.result({ id, revoked: true }, `revoked token ${id}`, id);
  } finally {
    hub.close();
  }
}
