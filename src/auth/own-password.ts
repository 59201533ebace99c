/** People change their own password, and show that they know the old one. */
import type { Database } from '../db/database.ts';
import { changeUser } from './accounts.ts';
import type { Actor } from './events.ts';
import { verifyPassword } from './passwords.ts';
import { findLogin } from './queries/login.ts';

/**
 * False when `current` is wrong.
 * @throws {AccountError} password-too-short, password-too-long
 */
export async function changeOwnPassword(
  db: Database,
  name: string,
  current: string,
  wanted: string,
  actor: Actor,
): Promise<boolean> {
  const login = await findLogin(db, name);
  if (!(await verifyPassword(current, login?.passwordHash ?? undefined))) return false;
  await changeUser(db, name, { password: wanted }, actor);
  return true;
}
