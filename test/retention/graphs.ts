/** Random repositories: what fast-check makes up, and the rows it becomes. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import sql from 'sql-template-tag';
import type { Rule } from '../../src/registry/retention/rule.ts';
import type { Database } from '../../src/db/database.ts';

export interface Node {
  readonly kind: 'image' | 'index' | 'other';
  /** Places of earlier nodes. */
  readonly children: readonly number[];
  readonly subject: number | undefined;
  readonly blobs: readonly number[];
  readonly tags: readonly string[];
  /** Days and a half ago. */
  readonly pushed: number;
  readonly pulled: number | undefined;
  readonly held: boolean;
  readonly leased: boolean;
}

export interface World {
  readonly nodes: readonly Node[];
  /** Tags that say the digest of one node and point at another. */
  readonly signatures: readonly { readonly of: number; readonly at: number; readonly suffix: string }[];
  readonly rules: readonly Rule[];
}

/** Bytes of the blob of that number. */
export const sizeOf = (blob: number): number => 100 + blob;
/** As many blobs as nodes share. */
const BLOBS = 40;

const name = (i: number) =>
  fc.oneof(
    fc.tuple(fc.nat(2), fc.nat(2), fc.nat(50)).map(([a, b, c]) => `${a}.${b}.${c}${i % 3 === 0 ? '' : `-rc.${i}`}`),
    fc.nat(500).map((n) => `pr-${n}`),
    fc.constantFrom('latest', 'main', 'v1.0.0'),
  );

const before = (below: number) => (below <= 0 ? fc.constant(undefined) : fc.nat(below - 1));

const node = (i: number): fc.Arbitrary<Node> =>
  fc
    .record({
      shape: fc.constantFrom('image', 'image', 'index', 'index', 'referrer', 'both'),
      children: fc.array(before(i), { maxLength: 4 }),
      subject: before(i),
      blobs: fc.uniqueArray(fc.nat(BLOBS - 1), { maxLength: 4 }),
      tags: fc.oneof(fc.constant([]), fc.array(name(i), { maxLength: 3 })),
      pushed: fc.nat(90),
      pulled: fc.option(fc.nat(90), { nil: undefined }),
      held: fc.nat(14).map((n) => n === 0),
      leased: fc.nat(20).map((n) => n === 0),
    })
    .map(({ shape, children, subject, ...rest }) => ({
      ...rest,
      kind: shape === 'image' ? 'image' : shape === 'referrer' ? 'other' : 'index',
      children: shape === 'index' || shape === 'both' ? [...new Set(children.filter((c) => c !== undefined))] : [],
      subject: shape === 'referrer' || shape === 'both' ? subject : undefined,
    }));

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const rule: fc.Arbitrary<Rule> = fc
  .record({
    tags: optional(fc.constantFrom(['*'], ['pr-*'], ['1.*', 'v*'], ['latest', 'main', 'pr-1*'])),
    except: optional(fc.constantFrom(['latest'], ['*.0.*'])),
    kinds: optional(fc.constantFrom(['image'] as const, ['index', 'image'] as const)),
    latest: optional(fc.record({ n: fc.nat(6), by: fc.constantFrom('push' as const, 'version' as const) })),
    per: fc.constantFrom('repository' as const, 'major' as const, 'minor' as const),
    keep_semver: optional(fc.constantFrom(['^1.1'], ['>=2', '0.1.x'])),
    keep_pushed_days: optional(fc.nat(60)),
    keep_pulled_days: optional(fc.nat(60)),
    untagged_days: optional(fc.nat(60)),
  })
  .map(({ latest, per, ...rest }) => ({
    ...rest,
    ...(latest && { keep_latest: latest.n, by: latest.by, ...(latest.by === 'version' && { per }) }),
  }))
  .map((made) =>
    Object.keys(made).some((key) => /^keep|untagged/.test(key) && made[key as 'keep_latest'] !== undefined)
      ? made
      : { ...made, keep_latest: 0 },
  );

/** Between `least` and `most` nodes, half of them indexes. */
export function world(least: number, most: number): fc.Arbitrary<World> {
  return fc.integer({ min: least, max: most }).chain((count) =>
    fc.record({
      nodes: fc.tuple(...Array.from({ length: count }, (_, i) => node(i))),
      signatures: fc.array(
        fc
          .record({ of: fc.nat(count), at: fc.nat(count - 1), suffix: fc.constantFrom('', '.sig', '.att', '.sbom') })
          // Beyond one transaction a circle of signatures is not undone at once.
          .filter(({ of, at }) => count <= 150 || of < at || of === count),
        { maxLength: Math.ceil(count / 3) },
      ),
      rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
    }),
  );
}

export interface Written {
  readonly repositoryId: number;
  readonly path: string;
  /** By place; what stands one beyond the end is a digest that is not there. */
  readonly digests: readonly string[];
  /** Tag names that were free. */
  readonly tags: ReadonlyMap<string, number>;
}

const digestOf = (text: string): Buffer =>
  Buffer.concat([Buffer.from([1]), createHash('sha256').update(text).digest()]);
export const shown = (digest: Buffer): string => `sha256:${digest.subarray(1).toString('hex')}`;

/** Rows as pushes would have made them. Contents are nowhere: only their rows are looked at. */
export async function write(
  db: Database,
  { nodes, signatures }: World,
  project: string,
  run: string,
): Promise<Written> {
  const path = `${project}/r${run}`;
  const repository = await db.first<{ id: number }>(sql`
    insert into repositories (project_id, path) select id, ${path} from projects where name = ${project} returning id`);
  const repositoryId = repository!.id;
  const raw = [...nodes.keys(), nodes.length].map((i) => digestOf(`${run} ${i}`));
  const digests = raw.map(shown);
  const manifests = await db.query<{ id: number; digest: Buffer }>(sql`
    insert into manifests (repository_id, digest, media_type, kind, size, subject_digest, leased_until, created_at)
    select ${repositoryId}::bigint, digest, 'application/vnd.oci.image.manifest.v1+json', kind, 10, subject,
           case when leased then now() + interval '1 hour' else now() - interval '1 hour' end,
           now() - make_interval(hours => hours)
    from unnest(${nodes.map((_, i) => raw[i]!)}::bytea[], ${nodes.map(({ kind }) => kind)}::text[],
                ${nodes.map(({ subject }) => (subject === undefined ? null : raw[subject]!))}::bytea[],
                ${nodes.map(({ leased }) => leased)}::boolean[],
                ${nodes.map(({ pushed }) => pushed * 24 + 12)}::int[]) as n (digest, kind, subject, leased, hours)
    returning id, digest`);
  const ids = new Map(manifests.map(({ id, digest }) => [shown(digest), id]));
  const idOf = (i: number): number => ids.get(digests[i]!)!;
  await db.query(sql`
    insert into manifest_payloads select id, digest from manifests where repository_id = ${repositoryId}`);
  await db.query(sql`
    insert into manifest_children (repository_id, child_digest, manifest_id)
    select ${repositoryId}::bigint, child, manifest
    from unnest(${nodes.flatMap(({ children }) => children.map((c) => raw[c]!))}::bytea[],
                ${nodes.flatMap(({ children }, i) => children.map(() => idOf(i)))}::bigint[]) as e (child, manifest)`);
  const used = nodes.flatMap(({ blobs }, i) => blobs.map((blob) => ({ blob, id: idOf(i) })));
  await db.query(sql`
    with wanted as (
      select digest, size, id from unnest(${used.map(({ blob }) => digestOf(`${run} blob ${blob}`))}::bytea[],
        ${used.map(({ blob }) => sizeOf(blob))}::bigint[], ${used.map(({ id }) => id)}::bigint[]) as w (digest, size, id)
    ), made as (
      insert into blobs (digest, size, store, key)
      select distinct digest, size, 'disk', ${run} || encode(digest, 'hex') from wanted returning id, digest
    ), linked as (
      insert into repository_blobs (repository_id, blob_id, leased_until)
      select ${repositoryId}::bigint, id, now() from made returning blob_id
    )
    insert into manifest_blobs (repository_id, blob_id, manifest_id)
    select ${repositoryId}::bigint, m.id, w.id from wanted w join made m using (digest) join linked l on l.blob_id = m.id`);
  const tags = new Map<string, number>();
  for (const [i, { tags: names }] of nodes.entries()) for (const each of names) if (!tags.has(each)) tags.set(each, i);
  for (const { of, at, suffix } of signatures) {
    const tag = `${digests[of]!.replace(':', '-')}${suffix}`;
    if (!tags.has(tag)) tags.set(tag, at);
  }
  const list = [...tags];
  await db.query(sql`
    insert into tags (repository_id, name, manifest_id, updated_at)
    select ${repositoryId}::bigint, name, manifest, now() - make_interval(hours => hours, secs => place)
    from unnest(${list.map(([tag]) => tag)}::text[], ${list.map(([, i]) => idOf(i))}::bigint[],
                ${list.map(([, i]) => nodes[i]!.pushed * 24 + 12)}::int[], ${list.map((_, at) => at)}::int[])
         as t (name, manifest, hours, place)`);
  await db.query(sql`
    insert into manifest_pulls (manifest_id, last_pulled_at, pulls)
    select id, now() - make_interval(hours => hours), 1
    from unnest(${nodes.flatMap(({ pulled }, i) => (pulled === undefined ? [] : [idOf(i)]))}::bigint[],
                ${nodes.flatMap(({ pulled }) => (pulled === undefined ? [] : [pulled * 24 + 12]))}::int[]) as p (id, hours)`);
  await db.query(sql`
    insert into holds (manifest_id, owner_kind, owner_id, reason)
    select id, 'app', 'shop', 'deployed' from unnest(${nodes.flatMap(({ held }, i) => (held ? [idOf(i)] : []))}::bigint[]) as h (id)`);
  return { repositoryId, path, digests, tags };
}
