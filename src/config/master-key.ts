/** The key that encrypts secrets kept in Postgres, when nobody gives one. */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { key } from './values.ts';

/**
 * The key in `<dataDir>/master.key`, made and made durable the first time, by one of several that may try at once.
 * @throws when the file does not hold a key
 */
export async function masterKeyIn(dataDir: string): Promise<Buffer> {
  const path = join(dataDir, 'master.key');
  const found = await readKey(path);
  if (found !== undefined) return found;
  const made = randomBytes(32);
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  await file.writeFile(`${made.toString('base64')}\n`);
  await file.sync();
  await file.close();
  // Unlike a rename, a link never replaces what someone else has put there meanwhile.
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
  const folder = await open(dataDir);
  await folder.sync();
  await folder.close();
  return (await readKey(path)) ?? made;
}

async function readKey(path: string): Promise<Buffer | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return key(text.trim());
  } catch {
    throw new Error(`${path} is damaged. Put it back from a backup, or give the key in BERTH_MASTER_KEY.`);
  }
}
