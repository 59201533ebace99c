/** The hub that is imported into, through its classic door: the command needs no more than anyone who uploads charts. */
import { CHART_LIMITS } from '../registry/charts/limits.ts';
import { type Answer, type Credentials, transfer, TransferFailed } from './transfer.ts';

/** What is there, by the name of the archive: the hex sha256 of its bytes. */
export type Listing = ReadonlyMap<string, string>;

export interface Hub {
  /** Of a namespace that need not exist. */
  list(namespace: string): Promise<Listing>;
  /** Undefined when it was taken, else why not. */
  put(namespace: string, archive: Chart, provenance: Bytes | undefined): Promise<string | undefined>;
  putProvenance(namespace: string, provenance: Bytes): Promise<string | undefined>;
  /** Undefined when there is none. */
  provenance(namespace: string, file: string): Promise<Buffer | undefined>;
}

type Bytes = Buffer<ArrayBuffer>;
interface Chart {
  readonly file: string;
  readonly bytes: Bytes;
}

const LISTING_LIMIT = 2 ** 30;
const ANSWER_LIMIT = 2 ** 20;

export function createHub(origin: URL, credentials: Credentials): Hub {
  const at = (namespace: string, path: string): URL =>
    new URL(`charts/${namespace.split('/').map(encodeURIComponent).join('/')}/${path}`, withSlash(origin));

  return {
    async list(namespace) {
      const answer = await transfer(at(namespace, 'index.yaml'), { credentials, limit: LISTING_LIMIT });
      refuse(answer, origin, credentials);
      if (answer.status === 404) return new Map();
      if (answer.status !== 200) throw new TransferFailed(`${origin.host} answered ${answer.status}: ${said(answer)}`);
      const { entries } = JSON.parse(answer.body.toString()) as {
        entries: Record<string, { urls: string[]; digest: string }[]>;
      };
      return new Map(
        Object.values(entries)
          .flat()
          .map(({ urls: [file = ''], digest }) => [file, digest] as const),
      );
    },
    async put(namespace, { file, bytes }, provenance) {
      const form = new FormData();
      form.set('chart', new Blob([bytes]), file);
      if (provenance) form.set('prov', new Blob([provenance]), `${file}.prov`);
      return outcome(
        await transfer(at(namespace, 'api/charts'), { method: 'POST', credentials, body: form, limit: ANSWER_LIMIT }),
      );
    },
    async putProvenance(namespace, provenance) {
      const request = { method: 'POST', credentials, body: provenance, limit: ANSWER_LIMIT } as const;
      return outcome(await transfer(at(namespace, 'api/prov'), request));
    },
    async provenance(namespace, file) {
      const path = `${encodeURIComponent(file)}.prov`;
      const answer = await transfer(at(namespace, path), { credentials, limit: CHART_LIMITS.provenance });
      return answer.status === 200 ? answer.body : undefined;
    },
  };

  function outcome(answer: Answer): string | undefined {
    refuse(answer, origin, credentials);
    return answer.status === 201 ? undefined : `${said(answer)} (${answer.status})`;
  }
}

/** @throws {TransferFailed} when no chart will fare better than this one */
function refuse(answer: Answer, origin: URL, { user }: Credentials): void {
  if (answer.status !== 401) return;
  throw new TransferFailed(`${origin.host} does not accept ${user === '' ? 'this token' : `the password of ${user}`}`);
}

function said({ body }: Answer): string {
  const text = body.toString('utf8', 0, 1_000);
  try {
    return (JSON.parse(text) as { error?: string }).error ?? text;
  } catch {
    return text;
  }
}

function withSlash(origin: URL): URL {
  return origin.pathname.endsWith('/') ? origin : new URL(`${origin.href}/`);
}
