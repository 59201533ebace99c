/** Every workload by its stable id. What a workload is called and does must not change once it is published. */
import type { Connection } from '../wire/connection.ts';
import { plainRequest } from '../wire/request.ts';
import { head, pushBlob, putManifest, sha256, type Flow, type Session } from '../wire/registry.ts';
import { ChangingBlob, imageManifest } from './content.ts';
import { layersOf, REPOSITORIES, tagsOf, type Dataset } from './dataset.ts';
import type { Extent, Operation } from './closed-loop.ts';
import type { Scale } from './protocol.ts';

const MIB = 1024 * 1024;
const { images, tags, writes } = REPOSITORIES;

/** As containerd asks for a manifest. */
const ACCEPT = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  '*/*',
].join(', ');

export interface Round {
  readonly session: Session;
  readonly dataset: Dataset;
  readonly connections: readonly Connection[];
  /** Paths and digests of what this round pushed, to be pulled back after it. */
  readonly pushed: { readonly path: string; readonly digest: string }[];
}

export interface Workload {
  readonly id: string;
  /** What the rate counts. */
  readonly unit: 'requests/s' | 'MB/s';
  readonly connections: number;
  readonly receiveBuffer?: number;
  /** Bytes that one operation sends, where those are what counts. */
  readonly sends?: number;
  /** The server writes to disk; what it leaves in the page cache must reach the disk before the next round. */
  readonly writes?: boolean;
  extent(scale: Scale): Extent;
  operation(round: Round): Operation;
  /** What a reader should know about the answers. */
  remark?(round: Round): Promise<string | undefined>;
}

const window = ({ seconds }: Scale): Extent => ({ kind: 'window', seconds });
const whole = ({ seconds }: Scale): Extent => ({ kind: 'whole', seconds });

interface Fetch {
  readonly path: string;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Body bytes of a right answer, where they are known. */
  readonly length?: number;
}

/** Sends prebuilt requests in turn and checks status and length of each answer. */
function fetchInTurn(session: Session, list: readonly Fetch[]): Operation {
  const prebuilt = list.map(({ path, method = 'GET', headers, length }) => ({
    request: plainRequest(head(session, method, path, headers)),
    path,
    length,
  }));
  let turn = 0;
  return async (connection) => {
    const { request, path, length } = prebuilt[turn++ % prebuilt.length]!;
    const response = await connection.exchange(request);
    if (response.status !== 200 || (length !== undefined && response.length !== length)) {
      throw new Error(`${path} answered ${response.status} with ${response.length} bytes, not ${length}`);
    }
  };
}

function manifests(method: 'GET' | 'HEAD'): Workload['operation'] {
  return ({ session, dataset }) =>
    fetchInTurn(
      session,
      dataset.imageTags.map((tag, n) => ({
        path: `/v2/${images}/manifests/${tag}`,
        method,
        headers: { Accept: ACCEPT },
        length: method === 'HEAD' ? 0 : dataset.manifests[n % dataset.manifests.length]!.length,
      })),
    );
}

function pushes(id: string, flow: Flow, size: number, connections: number, extent: Workload['extent']): Workload {
  const operation: Workload['operation'] = ({ session, connections: lanes, pushed }) => {
    const blobs = lanes.map(() => new ChangingBlob(size, flow));
    return async (connection, lane) => {
      const blob = blobs[lane]!.next();
      await pushBlob(connection, session, writes, blob, flow);
      pushed.push({ path: `/v2/${writes}/blobs/${blob.digest}`, digest: blob.digest });
    };
  };
  return { id, unit: size >= MIB ? 'MB/s' : 'requests/s', connections, sends: size, writes: true, extent, operation };
}

const putManifests: Workload['operation'] = ({ session, dataset, pushed }) => {
  const run = Date.now().toString(36);
  let serial = 0;
  return async (connection) => {
    const tag = `${run}-${serial++}`;
    const manifest = imageManifest(dataset.small[0]!, layersOf(dataset.small), tag);
    await putManifest(connection, session, writes, tag, manifest);
    pushed.push({ path: `/v2/${writes}/manifests/${tag}`, digest: sha256(manifest) });
  };
};

function largeBlob(id: string, connections: number): Workload {
  const operation: Workload['operation'] = ({ session, dataset: { large } }) =>
    fetchInTurn(session, [{ path: `/v2/${images}/blobs/${large.digest}`, length: large.size }]);
  return { id, unit: 'MB/s', connections, receiveBuffer: MIB, extent: window, operation };
}

/** Pages that start at a hundred places spread over the list. */
function pages(dataset: Dataset): readonly string[] {
  const step = Math.max(1, Math.floor((dataset.manyTags.length - 101) / 100));
  return Array.from({ length: 100 }, (_, n) => `/v2/${tags}/tags/list?n=100&last=${dataset.manyTags[n * step]}`);
}

export const WORKLOADS: readonly Workload[] = [
  {
    id: 'ping',
    unit: 'requests/s',
    connections: 16,
    extent: window,
    operation: ({ session }) => fetchInTurn(session, [{ path: '/v2/' }]),
  },
  { id: 'manifest-get', unit: 'requests/s', connections: 16, extent: window, operation: manifests('GET') },
  { id: 'manifest-head', unit: 'requests/s', connections: 16, extent: window, operation: manifests('HEAD') },
  {
    id: 'blob-get-16k',
    unit: 'requests/s',
    connections: 16,
    extent: window,
    operation: ({ session, dataset }) =>
      fetchInTurn(
        session,
        dataset.small.map(({ digest, size }) => ({ path: `/v2/${images}/blobs/${digest}`, length: size })),
      ),
  },
  largeBlob('blob-get-1g-c1', 1),
  largeBlob('blob-get-1g-c4', 4),
  pushes('blob-push-256m-docker', 'docker', 256 * MIB, 1, (scale) => ({ kind: 'count', operations: scale.pushes })),
  pushes('blob-push-256m-put', 'monolithic', 256 * MIB, 1, (scale) => ({ kind: 'count', operations: scale.pushes })),
  pushes('blob-push-16k', 'docker', 16 * 1024, 8, whole),
  { id: 'manifest-put', unit: 'requests/s', connections: 8, writes: true, extent: whole, operation: putManifests },
  {
    id: 'tags-n100-of-10k',
    unit: 'requests/s',
    connections: 16,
    extent: window,
    operation: ({ session, dataset }) =>
      fetchInTurn(
        session,
        pages(dataset).map((path) => ({ path })),
      ),
    async remark({ session, dataset, connections }) {
      const [first] = pages(dataset);
      const page = await tagsOf(connections[0]!, session, first!);
      if (page.length !== 100) return `ignores n=100: ${page.length} names`;
      if (page.join() !== dataset.manyTags.slice(1, 101).join()) throw new Error('A page of tags has the wrong names');
      return undefined;
    },
  },
  {
    id: 'tags-all-10k',
    unit: 'requests/s',
    connections: 4,
    receiveBuffer: 256 * 1024,
    extent: window,
    operation: ({ session }) => fetchInTurn(session, [{ path: `/v2/${tags}/tags/list` }]),
  },
];
