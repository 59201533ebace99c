/** The key that encrypts secrets kept in Postgres, when nobody gives one. */
import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { key } from './values.ts';

/**
 * The key in `<dataDir>/master.key`, made and made durable the first time. The caller has locked the folder.
 * @throws when the file does not hold a key
 */
export async function masterKeyIn(dataDir: string): Promise<Buffer> {
  const path = join(dataDir, 'master.key');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text !== undefined) {
    try {
      return key(text.trim());
    } catch {
      throw new Error(`${path} is damaged. Put it back from a backup, or give the key in BERTH_MASTER_KEY.`);
    }
  }
  const made = randomBytes(32);
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(`${made.toString('base64')}\n`);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
  const folder = await open(dataDir);
  await folder.sync();
  await folder.close();
  return made;
}
