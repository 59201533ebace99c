import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus, index } from '../harness/oci-client.ts';
import { violation, type Operation } from './linearizable.ts';

const hub = await testHub();

function operation(kind: 'write' | 'read', value: string, invoked: number, answered: number): Operation {
  return { kind, value, invoked, answered };
}

describe('the checker', () => {
  it('accepts what one register can do', () => {
    const overlapping = [
      operation('write', 'a', 0, 1),
      operation('write', 'b', 2, 6),
      operation('read', 'a', 3, 4),
      operation('read', 'b', 4, 5),
    ];
    expect(violation(overlapping)).toBeUndefined();
  });

  it.each([
    ['a stale read', [operation('write', 'a', 0, 1), operation('write', 'b', 2, 3), operation('read', 'a', 4, 5)]],
    ['a read from the future', [operation('read', 'a', 0, 1), operation('write', 'a', 2, 3)]],
    [
      'a value that comes and goes',
      [
        operation('write', 'a', 0, 1),
        operation('write', 'b', 2, 9),
        operation('read', 'b', 3, 4),
        operation('read', 'a', 5, 6),
      ],
    ],
    [
      'a lost write',
      [
        operation('write', 'a', 0, 1),
        operation('write', 'b', 2, 3),
        operation('read', 'a', 2.5, 4.5),
        operation('read', 'a', 5, 6),
      ],
    ],
    ['a value from nowhere', [operation('write', 'a', 0, 1), operation('read', 'x', 2, 3)]],
  ])('refuses %s', (_, history) => {
    expect(violation(history)).toBeTruthy();
  });
});

describe('a tag under writers and readers', () => {
  it.each([1, 2, 3])('is linearizable, history %d', async (run) => {
    const repo = await hub.repo();
    const tag = 'moving';
    const history: Operation[] = [];
    const first = index([], { extra: { annotations: { run: String(run) } } });
    await repo.mustPut(first, tag);
    history.push(operation('write', first.digest, -2, -1));

    const origin = performance.now();
    const timed = async (kind: 'write' | 'read', work: () => Promise<string>) => {
      const invoked = performance.now() - origin;
      const value = await work();
      history.push(operation(kind, value, invoked, performance.now() - origin));
    };
    const writer = async (name: number) => {
      for (let at = 0; at < 25; at++) {
        const content = index([], { extra: { annotations: { name: String(name), at: String(at), run: String(run) } } });
        await timed('write', async () => {
          const answer =
            at % 2 === 0
              ? await repo.putManifest(content, tag)
              : await repo.putManifest(content, content.digest, { tag });
          expectStatus(answer, 201);
          return content.digest;
        });
      }
    };
    const reader = async (name: number) => {
      for (let at = 0; at < 50; at++) {
        await timed('read', async () => {
          const answer = name % 2 === 0 ? await repo.headManifest(tag) : await repo.getManifest(tag);
          return expectStatus(answer, 200).header('Docker-Content-Digest') ?? '';
        });
      }
    };
    await Promise.all([...[1, 2, 3, 4].map(writer), ...[1, 2, 3, 4].map(reader)]);
    expect(history).toHaveLength(1 + 100 + 200);
    expect(violation(history)).toBeUndefined();
  });

  it('is never missing while it is moved', async () => {
    const repo = await hub.repo();
    const contents = Array.from({ length: 40 }, (_, at) => index([], { extra: { annotations: { at: String(at) } } }));
    await repo.mustPut(contents[0] ?? index([]), 'here');
    let moving = true;
    const watch = async () => {
      for (let seen = 0; moving || seen === 0; seen++) expectStatus(await repo.getManifest('here'), 200);
    };
    const watchers = [watch(), watch()];
    for (const content of contents) expectStatus(await repo.putManifest(content, 'here'), 201);
    moving = false;
    await Promise.all(watchers);
  });
});
