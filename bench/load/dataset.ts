/** What every server holds before anything is timed: the same bytes in each, pulled back and compared. */
import { Connection } from '../wire/connection.ts';
import { plainRequest } from '../wire/request.ts';
import { expect, head, pushBlob, putManifest, sha256, verify, type Session } from '../wire/registry.ts';
import { imageManifest, randomBlob, repeatedBlob, type FixedBlob } from './content.ts';
import type { Scale } from './protocol.ts';

const SMALL_BLOBS = 200;
const SMALL_SIZE = 16 * 1024;
const MANIFESTS = 16;
const IMAGE_TAGS = 96;
const LANES = 16;

export const REPOSITORIES = { images: 'bench/images', tags: 'bench/tags', writes: 'bench/writes' } as const;

export interface Dataset {
  readonly small: readonly FixedBlob[];
  readonly large: FixedBlob;
  readonly manifests: readonly Buffer[];
  /** Tags of the image repository; the n-th names manifest n modulo their number. */
  readonly imageTags: readonly string[];
  /** Tags of the tag repository, in the order of a listing. */
  readonly manyTags: readonly string[];
}

export function makeDataset(scale: Scale): Dataset {
  const small = Array.from({ length: SMALL_BLOBS }, () => randomBlob(SMALL_SIZE));
  const manifests = Array.from({ length: MANIFESTS }, (_, n) =>
    imageManifest(small[n]!, layersOf(small), `image ${n}`),
  );
  return {
    small,
    large: repeatedBlob(scale.largeBlob),
    manifests,
    imageTags: Array.from({ length: IMAGE_TAGS }, (_, n) => `1.0.${n}`),
    manyTags: Array.from({ length: scale.tags }, (_, n) => `v${String(n).padStart(6, '0')}`),
  };
}

/** The layers of every manifest of the bench: seven small blobs, as many as an ordinary image has. */
export function layersOf(small: readonly FixedBlob[]): readonly FixedBlob[] {
  return small.slice(-7);
}

/** Pushes the data set to a server and pulls every object back. */
export async function seed(session: Session, dataset: Dataset): Promise<void> {
  const lanes = Array.from({ length: LANES }, () => new Connection(session.origin, 256 * 1024));
  const { images, tags, writes } = REPOSITORIES;
  const needed = [dataset.small[0]!, ...layersOf(dataset.small)];
  const blobs: [string, FixedBlob][] = [
    ...dataset.small.map((blob): [string, FixedBlob] => [images, blob]),
    ...[tags, writes].flatMap((repository) => needed.map((blob): [string, FixedBlob] => [repository, blob])),
  ];
  try {
    await spread(lanes, blobs, (lane, [repository, blob]) => pushBlob(lane, session, repository, blob, 'monolithic'));
    await pushBlob(lanes[0]!, session, images, dataset.large, 'monolithic');
    await spread(lanes, dataset.imageTags, (lane, tag, n) =>
      putManifest(lane, session, images, tag, dataset.manifests[n % MANIFESTS]!),
    );
    await spread(lanes, dataset.manyTags, (lane, tag) => putManifest(lane, session, tags, tag, dataset.manifests[0]!));

    await spread(lanes, [...blobs, [images, dataset.large] as const], (lane, [repository, { digest }]) =>
      verify(lane, session, `/v2/${repository}/blobs/${digest}`, digest),
    );
    await spread(lanes, dataset.imageTags, (lane, tag, n) =>
      verify(lane, session, `/v2/${images}/manifests/${tag}`, sha256(dataset.manifests[n % MANIFESTS]!)),
    );
    const listed = await tagsOf(lanes[0]!, session, `/v2/${tags}/tags/list`);
    // Sorted here, because not every registry keeps the specification's order.
    if (listed.toSorted().join() !== dataset.manyTags.join()) {
      throw new Error(`The tag list has ${listed.length} names, and they are not the ones that were pushed`);
    }
  } finally {
    for (const lane of lanes) lane.close();
  }
}

/** The tag names in a page of a listing. */
export async function tagsOf(connection: Connection, session: Session, path: string): Promise<readonly string[]> {
  const parts: Buffer[] = [];
  const request = {
    ...plainRequest(head(session, 'GET', path)),
    sink: (bytes: Buffer) => parts.push(Buffer.from(bytes)),
  };
  await expect(connection, request, 200, `GET ${path}`);
  return (JSON.parse(Buffer.concat(parts).toString()) as { tags: string[] }).tags;
}

/** Works through a list with as many workers as there are connections. */
export async function spread<Item>(
  lanes: readonly Connection[],
  items: readonly Item[],
  work: (lane: Connection, item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (next < items.length) {
        const index = next++;
        await work(lane, items[index]!, index);
      }
    }),
  );
}
