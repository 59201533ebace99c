/** A chart repository over HTTP: whatever has an index.yaml. */
import { parse } from 'yaml';
import { z } from 'zod';
import { CHART_LIMITS } from '../registry/charts/limits.ts';
import type { Candidate, Source } from './source.ts';
import { type Credentials, transfer, TransferFailed } from './transfer.ts';

/** The largest public index has 25 MB. */
const INDEX_LIMIT = 256 * 2 ** 20;

const Entry = z.object({
  name: z.string().optional(),
  version: z.coerce.string(),
  urls: z.array(z.string()).nullish(),
  digest: z.string().nullish(),
});
const Index = z.object({ entries: z.record(z.string(), z.array(z.unknown()).nullish()).nullish() });

/** @throws {TransferFailed} when there is no index, or it cannot be read */
export async function indexSource(url: URL, credentials: Credentials | undefined): Promise<Source> {
  if (url.username !== '' || url.password !== '') {
    throw new TransferFailed('A password in the URL is seen by everyone on this machine; use the variables instead');
  }
  const address = new URL(url);
  if (!address.pathname.endsWith('.yaml')) address.pathname = `${address.pathname.replace(/\/$/, '')}/index.yaml`;
  const { entries } = await readIndex(address, credentials);
  const candidates: Candidate[] = [];
  const unusable: string[] = [];
  for (const [name, versions] of Object.entries(entries ?? {})) {
    for (const version of versions ?? []) {
      const read = Entry.safeParse(version);
      const link = read.data?.urls?.[0];
      const archive = link === undefined ? null : URL.parse(link, address.href);
      if (!read.success || archive === null) {
        unusable.push(`${name} ${read.data?.version ?? ''}: its entry in the index names no archive`);
      } else if (!/^https?:$/.test(archive.protocol)) {
        unusable.push(`${name} ${read.data.version}: ${archive.protocol} is not fetched`);
      } else {
        candidates.push(candidate(archive, { ...read.data, name }));
      }
    }
  }
  return { candidates, unusable };

  function candidate(archive: URL, entry: { name: string; version: string; digest?: string | null | undefined }) {
    const fetched = async (at: URL, limit: number): Promise<Buffer<ArrayBuffer> | undefined> => {
      // As helm does: what is stored elsewhere is not shown the password.
      const answer = await transfer(at, { credentials: at.origin === address.origin ? credentials : undefined, limit });
      if (answer.status === 200) return Buffer.from(answer.body);
      if (answer.status === 404) return undefined;
      throw new TransferFailed(`${at.href} answered ${answer.status}`);
    };
    return {
      label: archive.href,
      subfolder: '',
      claim: {
        file: `${entry.name}-${entry.version}.tgz`,
        sha256: entry.digest?.replace(/^sha256:/, '').toLowerCase(),
      },
      async archive() {
        const bytes = await fetched(archive, CHART_LIMITS.compressed);
        if (bytes === undefined) throw new TransferFailed('the index lists it, and it is not there');
        return bytes;
      },
      async provenance() {
        const at = new URL(archive);
        at.pathname += '.prov';
        return fetched(at, CHART_LIMITS.provenance);
      },
    };
  }
}

async function readIndex(address: URL, credentials: Credentials | undefined): Promise<z.infer<typeof Index>> {
  const { status, body } = await transfer(address, { credentials, limit: INDEX_LIMIT });
  if (status === 401 || status === 403) throw new TransferFailed(`${address.href} wants other credentials (${status})`);
  if (status !== 200) throw new TransferFailed(`${address.href} answered ${status}`);
  const text = body.toString();
  const read = Index.safeParse(parsed(address, text));
  if (!read.success) throw new TransferFailed(`${address.href} is not the index of a chart repository`);
  return read.data;
}

/** JSON is YAML too, and takes a hundredth of the time. */
function parsed(address: URL, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return parse(text, { logLevel: 'error' });
    } catch (error) {
      const reason = (error as Error).message.split('\n')[0];
      throw new TransferFailed(`${address.href} is not YAML: ${reason}`, { cause: error });
    }
  }
}
