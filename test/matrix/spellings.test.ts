/** A path that is spelled oddly is decided as the canonical one, or refused; it never opens what that does not. */
import { describe, expect, it } from 'vitest';
import { send, type Answer } from '../harness/oci-client.ts';
import { eachOf, outcomeOf } from './outcome.ts';
import { ask, concerns, LINES, type Asked, type Line } from './tables.ts';
import { makeWorld, type Sender } from './world.ts';

const { hub, senders, places } = await makeWorld();
const [closed, open] = ['private', 'public'].map((name) => places.find((place) => place.name === name)!);

type Odd = (
  asked: Asked,
) => Pick<Asked, 'path'> & { readonly method?: string; readonly headers?: Record<string, string> };

/** Changes the path and leaves the query alone. */
const spelled =
  (change: (path: string) => string): Odd =>
  ({ path }) => {
    const [before = '', query] = path.split(/(?=\?)/, 2);
    return { path: `${change(before)}${query ?? ''}` };
  };
const replaced = (at: RegExp, by: string) => spelled((path) => path.replace(at, by));
const hex = (character: string) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

const SPELLINGS: Readonly<Record<string, Odd>> = {
  'two slashes in front': spelled((path) => `/${path}`),
  'two slashes within': replaced(/(?<=.)\//, '//'),
  'two slashes before the end': replaced(/\/(?=[^/]*$)/, '//'),
  'a slash at the end': spelled((path) => `${path}/`),
  'a dot segment': replaced(/(?<=.)\//, '/./'),
  'a dot segment in front': spelled((path) => `/.${path}`),
  'an encoded dot segment': replaced(/(?<=.)\//, '/%2e/'),
  'into another folder and back': replaced(/(?<=.)\//, '/x/../'),
  'the same, encoded': replaced(/(?<=.)\//, '/x/%2e%2e/'),
  'the same, encoded twice': replaced(/(?<=.)\//, '/x/%252e%252e/'),
  'the same with backslashes': replaced(/(?<=.)\//, '/x\\..\\'),
  'out of a folder that anyone may see': spelled((path) => `/v2/${open!.repository}/../../..${path}`),
  'out of it, encoded': spelled((path) => `/v2/${open!.repository}%2f..%2f..%2f..${path.replaceAll('/', '%2f')}`),
  'an encoded slash in front': replaced(/^\//, '/%2f'),
  'an encoded slash within': replaced(/(?<=.)\/(?=.)/, '%2F'),
  'all slashes encoded': spelled((path) => `/${path.slice(1).replaceAll('/', '%2F')}`),
  'slashes encoded twice': spelled((path) => `/${path.slice(1).replaceAll('/', '%252F')}`),
  backslashes: spelled((path) => `/${path.slice(1).replaceAll('/', '\\')}`),
  'letters encoded': spelled((path) => path.replaceAll(/[a-z]/g, hex)),
  'the first letter encoded': replaced(/[a-z]/, '%61'),
  capitals: spelled((path) => path.toUpperCase()),
  'one capital': spelled((path) => path.replace(/[a-z](?=[^a-z]*$)/, (letter) => letter.toUpperCase())),
  'a parameter at the end': spelled((path) => `${path};x=1`),
  'a parameter within': replaced(/(?<=.)\//, ';x/'),
  'a NUL at the end': spelled((path) => `${path}%00`),
  'a NUL and an extension': spelled((path) => `${path}%00.json`),
  'a space at the end': spelled((path) => `${path}%20`),
  'a line break at the end': spelled((path) => `${path}%0a`),
  'a broken escape': spelled((path) => `${path}%zz`),
  'an overlong slash': replaced(/(?<=.)\//, '%c0%af'),
  'a dot at the end': spelled((path) => `${path}.`),
  'an extension': spelled((path) => `${path}.json`),
  'a fragment': spelled((path) => `${path}#x`),
  'a query more': ({ path }) => ({ path: `${path}${path.includes('?') ? '&' : '?'}x=1` }),
  'the absolute form': ({ path }) => ({ path: `${hub.origin}${path}` }),
  'the absolute form of another host': ({ path }) => ({ path: `http://elsewhere.example${path}` }),
  'another method by header': ({ path }) => ({
    path,
    headers: { 'X-HTTP-Method-Override': 'DELETE', 'X-Method-Override': 'DELETE' },
  }),
  'another method by query': ({ path }) => ({ path: `${path}${path.includes('?') ? '&' : '?'}_method=DELETE` }),
  'another path by header': ({ path }) => ({ path, headers: { 'X-Original-URL': '/v2/', 'X-Rewrite-URL': '/v2/' } }),
  'another host': ({ path }) => ({
    path,
    headers: { Host: 'elsewhere.example', 'X-Forwarded-Host': 'elsewhere.example' },
  }),
  'a trusted address': ({ path }) => ({ path, headers: { 'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1' } }),
  OPTIONS: ({ path }) => ({ path, method: 'OPTIONS' }),
  TRACE: ({ path }) => ({ path, method: 'TRACE' }),
  'an invented method': ({ path }) => ({ path, method: 'PURGE' }),
};

const chosen = (subject: string, kind: Sender['kind']) =>
  senders.find((sender) => sender.subject.name === subject && sender.kind === kind && sender.state !== 'over')!;
const who = [
  chosen('nobody', 'password'),
  chosen('stranger', 'password'),
  chosen('stranger', 'wide jwt'),
  chosen('reader', 'password'),
  chosen('owner', 'password'),
];
const cases = LINES.flatMap((line) =>
  (concerns(line) === 'nothing' ? [closed!] : [closed!, open!]).flatMap((place) =>
    who.map((sender) => ({ line, place, sender })),
  ),
);

function told(line: Line, sender: Sender, place: string, answer: Answer): string {
  return `${sender.subject.name} by ${sender.how}: ${line.method} ${line.path}, ${place}: ${answer.status}`;
}

describe(`each route for ${who.length} principals`, () => {
  it.each(Object.entries(SPELLINGS))('with %s', async (_, odd) => {
    const wrong: string[] = [];
    await eachOf(cases, async ({ line, place, sender }) => {
      const asked = ask(line, place);
      const headers = { ...asked.headers, ...(await sender.headers(place)) };
      const canonical = outcomeOf(await send(hub.origin, { ...asked, headers }));
      const { headers: more, ...changed } = odd(asked);
      const answer = await send(hub.origin, { ...asked, ...changed, headers: { ...headers, ...more } });
      const refused = answer.status >= 400 && answer.status < 500;
      if (!refused && (outcomeOf(answer) !== canonical || canonical !== 'let through')) {
        wrong.push(told(line, sender, place.name, answer));
      }
    });
    expect(wrong.slice(0, 10)).toEqual([]);
  });
});

it('has left everything as it was', async () => {
  for (const { repository } of [closed!, open!]) {
    expect((await hub.admin.repo(repository).headManifest('v1')).status).toBe(200);
  }
});
