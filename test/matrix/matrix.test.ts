/**
 * Every route × every kind of principal × every transport × every kind of resource, against the policy in policy.ts, which shares no
 * code with the hub.
 */
import { describe, expect, it } from 'vitest';
import { send } from '../harness/oci-client.ts';
import { eachOf, outcomeOf } from './outcome.ts';
import { POLICY } from './needs.ts';
import { expected, type Credential, type Place } from './policy.ts';
import { ask, concerns, LINES, type Line } from './tables.ts';
import { makeWorld, type Sender } from './world.ts';

const { hub, senders, places } = await makeWorld();

interface Cell {
  readonly line: Line;
  readonly sender: Sender;
  readonly place: Place;
}

function placesFor(line: Line): readonly Place[] {
  const concern = concerns(line);
  if (concern === 'repository') return places;
  // One place for each project, or any.
  const distinct = places.filter(({ project }, i) => places.findIndex((each) => each.project === project) === i);
  return concern === 'project' ? distinct : distinct.slice(0, 1);
}

/** Would end what other cells sign in with. */
const ENDS = new Set(['api-session-end', 'api-my-sessions-end']);
/** Have the sentence of what is hidden for what the chart or the project does not have. */
const LACKING = new Set([
  'api-chart-readme',
  'api-chart-values',
  'api-chart-schema',
  'api-chart-templates',
  'api-chart-dependencies',
  'api-chart-diff',
  'api-robot-remove',
  'api-share-revoke',
  'api-trust-rule',
  'api-trust-rule-remove',
  'api-ci-session-revoke',
  'api-hold-release',
  'api-immutability-rule-remove',
]);

/** Cookies count on /api/v1 and /auth/token alone. */
function shown(sender: Sender, { door }: Line): Credential {
  const nowhere = sender.kind === 'session' && (door === 'oci' || door === 'helm' || door === 'files');
  return nowhere ? senders.find(({ state }) => state === 'none')! : sender;
}

/** Sabotage need not meet a mistake in every cell that it touches. */
const EVERY = Number(process.env['BERTH_MATRIX_EVERY'] ?? 1);
const cells: Cell[] = LINES.flatMap((line) =>
  senders.flatMap((sender) => placesFor(line).map((place) => ({ line, sender, place }))),
).filter((_, i) => i % EVERY === 0);
/** Once for each kind of credential is enough. */
const headToo = ({ line, sender }: Cell) =>
  line.method === 'GET' && /^(?:password|no credentials|wide jwt)$/.test(sender.how);
const heads = cells.filter(headToo).length;

describe('the policy', () => {
  it.each(LINES.map(({ id, method, path }) => [id, method, path]))('knows %s: %s %s', (id) => {
    expect(POLICY).toHaveProperty([id]);
  });
});

it(`agrees with the hub in all of ${cells.length + heads} cells`, { timeout: 180_000 }, async () => {
  expect(cells.length + heads).toBeGreaterThanOrEqual(10_000 / EVERY);
  const wrong: string[] = [];
  await eachOf(cells, async ({ line, sender, place }) => {
    const needs = POLICY[line.id] ?? 'nothing';
    const due = expected(needs, shown(sender, line), place);
    const makes = line.door === 'files' && line.method !== 'GET' && place.kind === undefined;
    if (due === 'let through' && (makes || ENDS.has(line.id))) return;
    const asked = ask(line, place);
    const headers = { ...asked.headers, ...(await sender.headers(place)) };
    const answer = await send(hub.origin, { ...asked, headers });
    // Where nothing is hidden, the sentence of what is hidden is about a child that is not there.
    const hides = (typeof needs === 'object' || needs.endsWith('the project')) && !LACKING.has(line.id);
    const seen = outcomeOf(answer);
    // Told to wait: nothing was done and nothing was shown.
    if (answer.status === 429) return;
    const came = seen === 'hidden' && due === 'let through' && !hides ? 'let through' : seen;
    const cell = `${sender.subject.name} by ${sender.how}: ${asked.method} ${line.path} (${line.id}), ${place.name}`;
    if (came !== due) wrong.push(`${cell}: ${came} (${answer.status}), not ${due}`);
    if (!headToo({ line, sender, place })) return;
    // HEAD decides as GET does, and says nothing more.
    const head = await send(hub.origin, { ...asked, method: 'HEAD', headers });
    const slowed = head.status === 429;
    const same = head.status === answer.status || slowed;
    if (!same || head.body.length > 0) wrong.push(`${cell}: HEAD ${head.status}, GET ${answer.status}`);
  });
  expect(wrong.slice(0, 20)).toEqual([]);
});

it('has changed nothing', async () => {
  for (const { repository, repositoryExists } of places) {
    const repo = hub.admin.repo(repository);
    expect((await repo.headManifest('v1')).status, repository).toBe(repositoryExists ? 200 : 404);
  }
});
