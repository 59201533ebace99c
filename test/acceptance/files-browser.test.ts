import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startChromium, type Chromium } from './clients/chromium.ts';
import { lacks } from './clients/client.ts';
import { hostiles, LIVE, type Hostile } from './hostile.ts';
import { startStranger, timesEmbedded, type Stranger } from './stranger.ts';

const TABS = 4;

describe.skipIf(lacks('chromium'))('files in a browser', () => {
  const hub = inject('hub');
  const project = `hostile-${randomBytes(4).toString('hex')}`;
  const version = `/files/${project}/tools:1`;
  let stranger: Stranger;
  let files: Hostile[];
  let browser: Chromium;

  const urlOf = (path: string) => `${hub.url}${version}/${path.split('/').map(encodeURIComponent).join('/')}`;

  async function ask(method: string, url: string, body: string | Uint8Array<ArrayBuffer>, type: string): Promise<void> {
    const authorization = `Basic ${Buffer.from(`${hub.user}:${hub.password}`).toString('base64')}`;
    const answer = await fetch(url, { method, body, headers: { authorization, 'content-type': type } });
    expect(answer.ok, `${method} ${url}: ${answer.status} ${await answer.text()}`).toBe(true);
  }

  beforeAll(async () => {
    stranger = await startStranger();
    files = hostiles(stranger.canary);
    const shared = { name: project, visibility: 'public' };
    await ask('POST', `${hub.url}/api/v1/projects`, JSON.stringify(shared), 'application/json');
    await inTurns(TABS, files, (file) => ask('PUT', urlOf(file.path), new Uint8Array(file.content), file.claimed));
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    stranger?.close();
  });

  /** Visits all of them in a few tabs and answers what the browser made of each. */
  async function visitAll(urls: readonly string[]): Promise<Map<string, 'shown' | 'saved'>> {
    const tabs = await Promise.all(Array.from({ length: TABS }, () => browser.tab()));
    const seen = new Map<string, 'shown' | 'saved'>();
    await inTurns(TABS, urls, async (url, turn) => {
      const tab = tabs[turn] as Page;
      seen.set(url, await browser.visit(tab, url));
      expect(await marks(tab), url).toEqual([]);
    });
    await Promise.all(tabs.map((tab) => tab.close()));
    return seen;
  }

  function expectNothingRan(): void {
    expect(browser.dialogs).toEqual([]);
    expect(stranger.called).toEqual([]);
  }

  test('are saved, not shown: no script runs in 300 of them', async () => {
    expect(files.length).toBeGreaterThanOrEqual(300);
    const urls = files.map((file) => urlOf(file.path));
    const archives = ['zip', 'tar'].map((kind) => `${hub.url}${version}/?archive=${kind}`);
    const seen = await visitAll([...urls, ...archives, urlOf('SHA256SUMS')]);
    expect([...seen].filter(([, what]) => what !== 'saved')).toEqual([]);
    for (const url of seen.keys()) {
      expect(browser.answers.get(url), url).toMatchObject({
        status: 200,
        headers: {
          'content-disposition': expect.stringMatching(/^attachment; filename="[^"]*"/),
          'content-security-policy': "default-src 'none'; sandbox",
          'content-type': expect.stringMatching(
            /^(?:text\/plain; charset=utf-8|application\/(?:octet-stream|json|gzip|zip|x-tar)|image\/(?:png|jpeg|gif))$/,
          ),
          'cross-origin-resource-policy': 'same-origin',
          'x-content-type-options': 'nosniff',
        },
      });
    }
    expectNothingRan();
  });

  test('are listed by name, and a name is text', async () => {
    const folders = [
      '',
      'kinds/',
      'others/',
      'names/',
      'names/<a>/',
      'names/<a>/<b>/',
      'names/"/',
      'names/"/onload=x/',
    ];
    const lists = folders.map((folder) => urlOf(folder));
    const seen = await visitAll([`${hub.url}/files/${project}/tools/`, ...lists]);
    expect([...seen].filter(([, what]) => what !== 'shown')).toEqual([]);
    for (const url of seen.keys()) {
      const { status, headers } = browser.answers.get(url) ?? {};
      expect([status, headers?.['content-type']], url).toEqual([200, 'text/html; charset=utf-8']);
      expect(headers?.['content-security-policy'], url).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form/);
    }
    const tab = await browser.tab();
    await browser.visit(tab, urlOf('names/'));
    const shown = await tab.locator('td:first-child').allTextContents();
    const here = files.flatMap(({ path }) => /^names\/([^/]+)$/.exec(path)?.[1] ?? []);
    expect(shown).toEqual(expect.arrayContaining(here));
    expect(await tab.locator('td :not(a)').count()).toBe(0);
    await tab.close();
    expectNothingRan();
  });

  test('that are missing or refused are told of in plain text', async () => {
    const urls = files
      .filter(({ path }) => path.startsWith('names/'))
      .map(({ path }, i) => (i % 2 === 0 ? urlOf(`none/${path}`) : `${hub.url}/files/${encodeURIComponent(path)}`));
    await visitAll(urls);
    for (const url of urls) {
      const { status, headers } = browser.answers.get(url) ?? {};
      expect([400, 404], url).toContain(status);
      expect(headers, url).toMatchObject({ 'x-content-type-options': 'nosniff' });
      expect(headers?.['content-type'], url).toMatch(/^(?:text\/plain|application\/(?:problem\+)?json)\b/);
    }
    expectNothingRan();
  });

  test('run nothing on a page of another origin that embeds them', async () => {
    const urls = files.map((file) => urlOf(file.path));
    const before = urls.map((url) => browser.ended.get(url) ?? 0);
    const tab = await browser.tab();
    await browser.visit(tab, stranger.embedding(urls), 'commit');
    // Those that are saved come to no load event of their own, so the page's does not wait for them.
    await expect
      .poll(() => urls.filter((url, i) => (browser.ended.get(url) ?? 0) < (before[i] ?? 0) + timesEmbedded(url, i)), {
        timeout: 120_000,
      })
      .toEqual([]);
    expect(await marks(tab)).toEqual([]);
    await tab.close();
    expectNothingRan();
  });

  test('would run, served as what they claim to be', async () => {
    const live = files.filter(({ id }) => LIVE.includes(id));
    for (const file of live) await browser.visit(await browser.tab(), stranger.bare(file), 'commit');
    await expect
      .poll(() => live.map(({ id }) => id).filter((id) => !stranger.called.includes(id)), { timeout: 20_000 })
      .toEqual([]);
    expect(browser.dialogs.length).toBeGreaterThan(0);
    const tab = await browser.tab();
    await browser.visit(tab, stranger.embedding([stranger.bare(files[0] as Hostile)]));
    expect(await marks(tab)).toContain('k0');
  });
});

/** What scripts left behind in the frames of a tab. */
async function marks(tab: Page): Promise<unknown[]> {
  const found = await Promise.all(
    tab.frames().map((frame) => frame.evaluate<unknown>('window.__pwn').catch(() => undefined)),
  );
  return found.filter((value) => value !== undefined);
}

async function inTurns<Item>(
  width: number,
  items: readonly Item[],
  work: (item: Item, turn: number) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: width }, async (_, turn) => {
      for (const item of rest) await work(item, turn);
    }),
  );
}
