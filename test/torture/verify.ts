/** Compares what a hub serves with what its clients were told. */
import type { OciClient, Repo } from '../harness/oci-client.ts';
import { expectations, type Entry, type Expectation } from './journal.ts';

/**
 * Everything that is wrong, in sentences; empty when all is well. Tags are always looked at; blobs and manifests, which cost
 * more, only those that `about` is true for.
 */
export async function verify(
  client: OciClient,
  entries: Iterable<Entry>,
  about: (repo: string, digest: string) => boolean = () => true,
): Promise<string[]> {
  const problems: string[] = [];
  const all = [...expectations(entries)].map(([name, expected]) =>
    check(client.repo(name), expected, (digest) => about(name, digest), problems),
  );
  await Promise.all(all);
  return problems;
}

async function check(
  repo: Repo,
  expected: Expectation,
  about: (digest: string) => boolean,
  problems: string[],
): Promise<void> {
  const complain = (problem: string) => problems.push(`${repo.name}: ${problem}`);
  const attempt = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      complain(`${what}: ${(error as Error).message}`);
    }
  };
  for (const digest of [...expected.blobs].filter(about)) {
    await attempt(`acknowledged blob ${digest}`, async () => {
      const answer = await repo.headBlob(digest);
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    });
  }
  for (const [digest, presence] of [...expected.manifests].filter(([name]) => about(name))) {
    await attempt(`${presence} manifest ${digest}`, async () => {
      const { status } = await repo.headManifest(digest);
      if (status !== 200 && status !== 404) throw new Error(`status ${status}`);
      if (presence === 'absent' && status === 200) throw new Error('it was deleted, and is there');
      if (presence === 'present' && status !== 200) throw new Error('it was acknowledged, and is not there');
      // Acknowledged or not: what is there is whole.
      if (status === 200) await repo.mustPull(digest);
    });
  }
  const listed = new Set<string>();
  await attempt('list of tags', async () => {
    const answer = await repo.tags({ n: 1_000 });
    if (answer.status === 200) for (const tag of answer.json<{ tags: string[] }>().tags) listed.add(tag);
    else if (answer.status !== 404) throw new Error(`status ${answer.status}`);
  });
  for (const [tag, values] of expected.tags()) {
    await attempt(`tag ${tag}`, async () => {
      const answer = await repo.headManifest(tag);
      const value = answer.status === 404 ? undefined : answer.header('Docker-Content-Digest');
      if (!values.has(value)) throw new Error(`it is ${value ?? 'missing'} and should be ${[...values].join(' or ')}`);
      if (listed.delete(tag) !== (value !== undefined)) throw new Error('the list says otherwise');
    });
  }
  for (const tag of listed) complain(`tag ${tag} is there, and nobody pushed it`);
}
