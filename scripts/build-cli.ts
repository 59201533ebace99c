/**
 * `npm run build:cli`: bundles cli/src into cli/dist, one file a program, with the libraries in it. The result is committed, so
 * that a clone serves it without a build, and every hub of one version serves the same bytes; a test builds it again and
 * compares.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = new URL('../', import.meta.url);
export const PROGRAMS = ['berth', 'docker-credential-berth'] as const;

export async function buildCli(): Promise<Map<string, string>> {
  const { version } = JSON.parse(await readFile(new URL('cli/package.json', ROOT), 'utf8')) as { version: string };
  const built = new Map<string, string>();
  for (const program of PROGRAMS) {
    const bundle = await rolldown({
      input: fileURLToPath(new URL(`cli/src/${program}.ts`, ROOT)),
      cwd: fileURLToPath(ROOT),
      platform: 'node',
      transform: { target: 'node20', define: { BERTH_VERSION: JSON.stringify(version) } },
    });
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, minify: false });
    await bundle.close();
    const [chunk] = output;
    built.set(`${program}.mjs`, `${chunk.code.trimEnd()}\n${await licences(chunk.moduleIds)}`);
  }
  return built;
}

/** Of the libraries in the bundle; their licences ask to be kept with the code. */
async function licences(modules: readonly string[]): Promise<string> {
  const names = modules
    .map((id) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id))
    .filter((match) => match !== null);
  const folders = new Map(names.map((match) => [match[1] as string, match[0]]));
  const texts: string[] = [];
  for (const [name, folder] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { version } = JSON.parse(await readFile(`${folder}package.json`, 'utf8')) as { version: string };
    const files = ['LICENSE', 'license', 'LICENSE.md', 'LICENSE-MIT.txt'].map((file) =>
      readFile(folder + file, 'utf8'),
    );
    const text = (await Promise.allSettled(files)).find((read) => read.status === 'fulfilled')?.value;
    if (text === undefined) throw new Error(`${name} has no licence file`);
    texts.push(`${name} ${version}\n\n${text.trim()}`);
  }
  if (texts.length === 0) return '';
  const lines = texts.join('\n\n----\n\n').split(/\r?\n/);
  return `\n// This file contains these libraries:\n//\n${lines.map((line) => `// ${line}`.trimEnd()).join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(new URL('cli/dist/', ROOT), { recursive: true });
  for (const [file, text] of await buildCli()) {
    await writeFile(new URL(`cli/dist/${file}`, ROOT), text, { mode: 0o755 });
    console.log(`cli/dist/${file}: ${text.length} bytes`);
  }
}
