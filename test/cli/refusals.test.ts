/** What berth says and which exit code it ends with, when a hub refuses, is busy, is away, or is not to be trusted. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { whyNotPath } from '../../cli/src/paths.ts';
import { whyNotPath as whyNotOnHub } from '../../src/registry/files/path.ts';
import { newFiles } from '../files/harness.ts';
import { TRAVERSALS } from '../files/traversals.ts';
import { testHub } from '../harness/hub.ts';
import { ciCli, makeCli, newToken } from './harness.ts';

const hub = await testHub();
const cli = await ciCli(hub);
const files = await newFiles(hub);
await files.put('1', 'x', 'x');
await cli.write({ x: 'x' });

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A hub that says whatever the test wants. */
async function fakeHub(handler: Handler): Promise<{ origin: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    request.resume();
    handler(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

describe('exit codes', () => {
  it.each([
    [2, 'no command', []],
    [2, 'an unknown command', ['psuh']],
    [2, 'an unknown option', ['ls', '--colour']],
    [2, 'a format that there is not', ['-o', 'xml', 'ls']],
    [2, 'what cannot be a reference', ['pull', 'Acme//Tools:1']],
    [2, 'a path that leads out', ['pull', 'acme/tools:1/../x']],
    [2, 'a version that is no tag', ['push', 'x', 'acme/tools:^1']],
    [2, 'a file that is not here', ['push', 'missing', 'acme/tools:1']],
    [3, 'a version that is not there', ['pull', `${files.repository}:9`]],
    [3, 'a file that is not there', ['pull', `${files.repository}:1/y`]],
    [3, 'a repository that is not there', ['ls', 'nobody/nothing']],
  ])('%i for %s', async (code, _what, args) => {
    const ended = await cli.run(args);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '' });
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });

  it('4 for wrong credentials and for too few rights, with the request id on the one line', async () => {
    const wrong = await cli.run(['whoami'], { env: { BERTH_TOKEN: 'berth_pat_wrong' } });
    expect(wrong).toMatchObject({ code: 4, stdout: '' });
    expect(wrong.stderr).toMatch(/^berth: [^\n]+ \(request [0-9a-f-]{36}\)\n$/);
    const reader = await newToken(hub, ['pull']);
    const refused = await cli.run(['push', 'x', `${files.repository}:1`], { env: { BERTH_TOKEN: reader } });
    expect(refused.code).toBe(4);
  });

  it('5 for what is in the way', async () => {
    const conflict = await cli.run(['push', 'x', `${files.repository}:1/x/y`]);
    expect(conflict).toMatchObject({ code: 5, stdout: '' });
    expect(conflict.stderr).toContain('x/y: ');
  });

  it('6 for a policy that refuses', async () => {
    const { origin } = await fakeHub((_request, response) =>
      json(response, 403, { type: 'urn:berth:problem:policy-violated', detail: 'Two findings are critical' }),
    );
    const refused = await cli.run(['ls', 'acme/tools:1', '--hub', origin]);
    expect(refused).toMatchObject({ code: 6, stderr: 'berth: Two findings are critical\n' });
  });

  it('1 for a hub that is away', async () => {
    const away = await cli.run(['ls', '--hub', 'http://127.0.0.1:1', '--retries', '0']);
    expect(away).toMatchObject({ code: 1, stdout: '' });
    expect(away.stderr).toBe('berth: http://127.0.0.1:1 cannot be reached: nothing listens there\n');
  });
});

describe('a busy hub', () => {
  it.each([429, 502, 503, 504])('is asked again after %i, when it says', async (status) => {
    let asked = 0;
    const { origin, seen } = await fakeHub((_request, response) =>
      ++asked <= 2 ? json(response, status, {}, { 'Retry-After': '0' }) : json(response, 200, { items: [] }),
    );
    expect(await cli.run(['ls', '--hub', origin])).toMatchObject({ code: 0 });
    expect(seen).toHaveLength(3);
  });

  it('is given up in the end', async () => {
    const { origin, seen } = await fakeHub((_request, response) => json(response, 503, {}, { 'Retry-After': '0' }));
    const ended = await cli.run(['ls', '--hub', origin, '--retries', '2']);
    expect(ended).toMatchObject({ code: 1 });
    expect(seen).toHaveLength(3);
  });

  it('is not asked again after a refusal', async () => {
    const { origin, seen } = await fakeHub((_request, response) => json(response, 403, { detail: 'No' }));
    expect(await cli.run(['ls', '--hub', origin])).toMatchObject({ code: 4 });
    expect(seen).toHaveLength(1);
  });
});

describe('a hub that cannot be trusted', () => {
  const content = Buffer.from('content');
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const listing = (paths: readonly string[]) => ({
    repository: 'acme/tools',
    version: '1',
    path: '',
    final: false,
    files: paths.map((path) => ({ path, size: content.length, digest })),
  });

  it('judges names as the hub does', () => {
    const names = [...TRAVERSALS, 'a', 'a/b', 'naïve', 'e\u0301', 'C:x', 'a\u202eb', 'x'.repeat(256), ''];
    for (const name of names) {
      expect(whyNotPath(name) === undefined, JSON.stringify(name)).toBe(whyNotOnHub(name) === undefined);
    }
  });

  it.each(['../out', '/etc/out', 'a/../../out', 'a\\..\\out', 'C:out', 'a\u001b[2Jb', ''])(
    'names no file %j',
    async (path) => {
      const { origin } = await fakeHub((request, response) =>
        request.url?.includes('recursive')
          ? json(response, 200, listing([path]))
          : response.writeHead(200).end(content),
      );
      const one = await makeCli({ BERTH_HUB: origin });
      const ended = await one.run(['pull', 'acme/tools:1', '--output', 'into/deep', '--retries', '0']);
      expect(ended.code).toBe(1);
      expect(ended.stderr).not.toContain('\u001b');
      const made = await readdir(one.home, { recursive: true });
      expect(made.filter((name) => name.includes('out'))).toEqual([]);
    },
  );

  it('leaves nothing of what has another digest', async () => {
    const { origin } = await fakeHub((request, response) =>
      request.url?.includes('recursive') ? json(response, 200, listing(['x'])) : response.writeHead(200).end('CONTENT'),
    );
    await cli.write({ 'kept/x': 'before' });
    const ended = await cli.run(['pull', 'acme/tools:1', '--output', 'kept', '--hub', origin, '--retries', '0']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(await readdir(cli.at('kept'))).toEqual(['x']);
  });

  it('gets the token only when it is the one that was chosen, also after a redirect', async () => {
    const other = await fakeHub((_request, response) => json(response, 200, listing([])));
    await cli.run(['ls', `${other.origin}/files/acme/tools:1`]);
    const chosen = await fakeHub((request, response) =>
      response.writeHead(307, { Location: new URL(request.url ?? '', other.origin).href }).end(),
    );
    await cli.run(['ls', 'acme/tools:1/', '--hub', chosen.origin]);
    expect(chosen.seen[0]?.headers.authorization).toMatch(/^Basic /);
    expect(other.seen).toHaveLength(2);
    for (const { headers } of other.seen) expect(headers.authorization).toBeUndefined();
  });
});
