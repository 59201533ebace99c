import { chromium, type BrowserContext, type Page, type Request } from 'playwright-core';
import { whereIs } from '../command.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Record<string, string>;
}

export interface Chromium extends AsyncDisposable {
  /** A tab; those there are share what is seen below. */
  tab(): Promise<Page>;
  /** Goes there. An answer that is saved rather than shown is cancelled, and leaves the tab where it was. */
  visit(tab: Page, url: string, until?: 'load' | 'commit'): Promise<'shown' | 'saved'>;
  /** What any tab was answered last, by URL. */
  readonly answers: ReadonlyMap<string, Answered>;
  /** Times that each URL was asked for and came to an end, well or not. */
  readonly ended: ReadonlyMap<string, number>;
  /** Words of the alerts and their like that came up. */
  readonly dialogs: readonly string[];
}

/** The browser of the distribution, without a window and with a profile that nobody had before. */
export async function startChromium(): Promise<Chromium> {
  const browser = await chromium.launch({
    executablePath: whereIs('chromium') as string,
    // Containers, where this runs in CI, often forbid what its sandbox is made of.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const context = await browser.newContext({ acceptDownloads: false });
  const answers = new Map<string, Answered>();
  const ended = new Map<string, number>();
  const dialogs: string[] = [];
  watch(context, answers, ended);
  context.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss().catch(() => {});
  });
  return {
    answers,
    ended,
    dialogs,
    tab: () => context.newPage(),
    async visit(tab, url, until = 'load') {
      try {
        await tab.goto(url, { waitUntil: until });
        return 'shown';
      } catch (error) {
        if (/Download is starting/.test(String(error))) return 'saved';
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
    },
  };
}

function watch(context: BrowserContext, answers: Map<string, Answered>, ended: Map<string, number>): void {
  context.on('response', (answer) => {
    answers.set(answer.url(), { status: answer.status(), headers: answer.headers() });
  });
  const count = (request: Request) => ended.set(request.url(), (ended.get(request.url()) ?? 0) + 1);
  context.on('requestfinished', count);
  context.on('requestfailed', count);
}
