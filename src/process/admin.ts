/** `berth migrate` and `berth reset-password`: what an administrator does beside a running or a stopped hub. */
import { randomBytes } from 'node:crypto';
import { changeUser } from '../auth/accounts.ts';
import type { Reading } from '../config.ts';
import { createLog } from '../log.ts';
import { withDatabase } from './database-access.ts';
import { withMigrated } from './prepare.ts';

/** Brings the schema up to date, which every start does too. */
export async function migrateSchema({ config }: Reading): Promise<number> {
  const log = createLog(config.logLevel, 'migrate');
  await withDatabase(config, log, (located) => withMigrated(located, async () => {}));
  process.stdout.write('The schema is up to date.\n');
  return 0;
}

/** Gives a user a new password and prints it; whatever rested on the old one ends. */
export async function resetPassword({ config }: Reading, user: string): Promise<number> {
  const log = createLog(config.logLevel, 'reset-password');
  const password = randomBytes(18).toString('base64url');
  await withDatabase(config, log, (located) =>
    withMigrated(located, (db) => changeUser(db, user, { password }, { id: 0 })),
  );
  process.stdout.write(`The new password of ${user} is ${password}\n`);
  return 0;
}
