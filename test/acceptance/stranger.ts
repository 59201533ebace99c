import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hostile } from './hostile.ts';

/** Somebody else's server: scripts that ran call it, it embeds what others serve, and protects nothing that it serves itself. */
export interface Stranger {
  /** Ids whose canaries were called. */
  readonly called: readonly string[];
  canary(id: string): string;
  /** Where the file is served as what its uploader said. */
  bare(file: Hostile): string;
  /** A page that embeds each as an image, a style sheet and a script, and some in frames. */
  embedding(urls: readonly string[]): string;
  close(): void;
}

const FRAMES = [
  (url: string) => `<iframe src="${url}"></iframe>`,
  (url: string) => `<object data="${url}"></object>`,
  (url: string) => `<embed src="${url}">`,
];

/** Frames are slow, so every third URL is in one, of each sort in turns. */
const frameOf = (i: number) => (i % 3 === 0 ? FRAMES[(i / 3) % FRAMES.length] : undefined);

const embed = (url: string, i: number) =>
  `<img src="${url}"><link rel="stylesheet" href="${url}"><script async src="${url}"></script>${frameOf(i)?.(url) ?? ''}`;

/** How often the page asks for a URL. Objects called images are fetched with them, and those that nothing could show not at all. */
export function timesEmbedded(url: string, i: number): number {
  const frame = frameOf(i);
  return frame && (frame === FRAMES[0] || !/\.(?:png|gif|jpg|bmp|pdf|zip|tgz|swf|bin)$/i.test(url)) ? 4 : 3;
}

export async function startStranger(): Promise<Stranger> {
  const called: string[] = [];
  const served = new Map<string, { type: string; content: Buffer | string }>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://stranger').pathname;
    const [, what, id = ''] = path.split('/');
    if (what === 'canary') called.push(id);
    const found = served.get(path);
    // Whoever navigates to a canary stays where it was.
    if (!found) return response.writeHead(204).end();
    response.setHeader('Content-Type', found.type);
    response.end(found.content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // By another name than the hub's, so that it is another site as well as another origin.
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const serve = (path: string, type: string, content: Buffer | string): string => {
    served.set(path, { type, content });
    return `${origin}${path}`;
  };
  return {
    called,
    canary: (id) => `${origin}/canary/${id}`,
    bare: ({ id, claimed, content }) => serve(`/bare/${id}`, claimed, content),
    embedding(urls) {
      const tags = urls.map(embed);
      return serve(`/embedding/${served.size}`, 'text/html', `<!doctype html><body>${tags.join('\n')}`);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
