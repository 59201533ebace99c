/** /cli: the programs for people who use the hub (`cli/`), as anyone may fetch them. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Context, Middleware } from 'koa';
import { sendContent } from './http/send.ts';
import { mount, route, type Route } from './http/table.ts';

type Public = { readonly kind: 'public' };
const anyone: Public = { kind: 'public' };

const PROGRAMS = ['berth.mjs', 'docker-credential-berth.mjs'] as const;
const BUILT = new URL('../cli/dist/', import.meta.url);
const TEXT = 'text/plain; charset=utf-8';

/** @param origin of the hub, for the lines that install */
export function cliRoutes(origin: string): Middleware {
  const files = new Map<string, Promise<Buffer>>();
  // A few hundred kilobytes that a worker reads when somebody asks for the first time.
  const read = (name: string): Promise<Buffer> => {
    const file = files.get(name) ?? readFile(new URL(name, BUILT));
    files.set(name, file);
    file.catch(() => files.delete(name));
    return file;
  };
  const sums = async (): Promise<Buffer> => {
    const lines = PROGRAMS.map(async (name) => `${sha256(await read(name))}  ${name}\n`);
    return Buffer.from((await Promise.all(lines)).join(''));
  };
  const program = (name: string): Middleware => {
    return async (ctx) => send(ctx, await read(name), 'text/javascript; charset=utf-8');
  };
  const routes: Route<Public>[] = [
    route('cli', 'GET', '/cli/', anyone, (ctx) => send(ctx, Buffer.from(howTo(origin)), TEXT)),
    route('cli-berth', 'GET', '/cli/berth.mjs', anyone, program('berth.mjs')),
    route('cli-docker', 'GET', '/cli/docker-credential-berth.mjs', anyone, program('docker-credential-berth.mjs')),
    route('cli-sums', 'GET', '/cli/SHA256SUMS', anyone, async (ctx) => send(ctx, await sums(), TEXT)),
  ];
  return mount(routes, () => (_ctx, next) => next());
}

async function send(ctx: Context, body: Buffer, type: string): Promise<void> {
  ctx.set('Cache-Control', 'no-cache');
  // Whatever it is, it is to be saved and not to run in this origin.
  ctx.set('Content-Security-Policy', "default-src 'none'; sandbox");
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  await sendContent(ctx, {
    size: body.length,
    type,
    etag: `"sha256:${sha256(body)}"`,
    read: async (range) => (range ? body.subarray(range.start, range.end + 1) : body),
  });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function howTo(origin: string): string {
  return `berth, for Node 20 or later:

  curl -fsSLO ${origin}/cli/berth.mjs
  install -D -m 755 berth.mjs ~/.local/bin/berth

docker's credential helper, the same way, and "credHelpers": {"${new URL(origin).host}": "berth"} in ~/.docker/config.json:

  curl -fsSLO ${origin}/cli/docker-credential-berth.mjs
  install -D -m 755 docker-credential-berth.mjs ~/.local/bin/docker-credential-berth

To check what came:

  curl -fsSL ${origin}/cli/SHA256SUMS | sha256sum --check --ignore-missing

Then: berth login ${origin}
`;
}
