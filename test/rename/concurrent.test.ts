/** Names change while everybody works: nothing acknowledged is lost, nothing fails that the hub could have answered. */
import { setImmediate as turn } from 'node:timers/promises';
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { moveRepository } from '../../src/registry/rename/moves.ts';
import { testHub } from '../harness/hub.ts';
import { expectExact, limit } from '../quota/harness.ts';
import { expectStatus, image, unique, type Answer, type Image } from '../harness/oci-client.ts';

const hub = await testHub();
const replica = await hub.replica();

const renameProject = (from: string, to: string) => hub.api('POST', `/projects/${from}/rename`, { name: to });
const renameRepository = (project: string, from: string, to: string) =>
  hub.api('POST', `/projects/${project}/repositories/rename`, { from, to });

describe('while 8 clients push and pull', () => {
  it('what was acknowledged is there by every name, pulls never fail, and no answer is the hub’s fault', async () => {
    const names = [await hub.project(), unique('n'), unique('n')];
    const paths = ['app', 'team/app'];
    const first = image();
    await hub.admin.repo(`${names[0]}/app`).mustPushImage(first, 'first');
    const acknowledged: { tag: string; image: Image }[] = [];
    const faults: string[] = [];
    let over = false;
    // Everybody looks the name up as people do: from the last one that they heard of.
    let [name, path] = [names[0]!, paths[0]!];

    const judge = (answer: Answer, allowed: readonly number[], what: string): boolean => {
      if (allowed.includes(answer.status)) return true;
      faults.push(`${what}: ${answer.status} ${answer.body.toString('utf8', 0, 200)}`);
      return false;
    };
    async function push(client: number): Promise<void> {
      for (let i = 0; !over; i++) {
        const tag = `c${client}-${i}`;
        const one = image();
        const repo = (client % 2 === 0 ? hub.admin : replica).repo(`${name}/${path}`);
        try {
          for (const part of one.blobs) await repo.mustPush(part);
        } catch (error) {
          // By a former name by now, as the sentence says; anything else is a fault.
          if (!String(error).includes('got 403') || !String(error).includes('is called')) faults.push(String(error));
          continue;
        }
        const put = await repo.putManifest(one.manifest, tag);
        if (put.status === 201) acknowledged.push({ tag, image: one });
        else judge(put, [403], `manifest of ${tag}`);
      }
    }
    async function pull(client: number): Promise<void> {
      const repo = (client % 2 === 0 ? hub.admin : replica).repo(`${names[0]}/${paths[0]}`);
      while (!over) {
        judge(await repo.getManifest('first'), [200], 'pull of the manifest by the first name');
        judge(await repo.getBlob(first.blobs[0]!.digest), [200], 'pull of the blob by the first name');
        await turn();
      }
    }
    const clients = [0, 1, 2, 3].flatMap((client) => [push(client), pull(client)]);
    for (let round = 0; round < 6; round++) {
      const next = names[(round + 1) % names.length]!;
      expectStatus(await renameProject(name, next), 200);
      name = next;
      const other = paths[(round + 1) % paths.length]!;
      expectStatus(await renameRepository(name, path, other), 200);
      path = other;
      // As long as it takes until somebody has pushed something by this name.
      const before = acknowledged.length;
      while (acknowledged.length === before && faults.length === 0) await turn();
    }
    over = true;
    await Promise.all(clients);
    expect(faults.slice(0, 5)).toEqual([]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(6);
    for (const project of names) {
      for (const inside of paths) {
        const repo = hub.admin.repo(`${project}/${inside}`);
        for (const { tag, image: one } of acknowledged) {
          expect(expectStatus(await repo.getManifest(tag), 200).body).toEqual(one.manifest.bytes);
        }
      }
    }
    for (const { tag } of acknowledged) await hub.admin.repo(`${name}/${path}`).mustPull(tag);
    const listed = expectStatus(await hub.api('GET', `/projects/${name}/repositories`), 200).json<{
      items: object[];
    }>();
    expect(listed.items).toMatchObject([{ path: `${name}/${path}` }]);
  }, 60_000);
});

describe('while a repository moves to and fro', () => {
  it('what was acknowledged is there, pulls never fail, and the accounts of both projects are right', async () => {
    const projects = [await hub.project(), await hub.project()];
    await limit(hub, projects[1]!, { max_bytes: 10 ** 9 });
    const first = image();
    await hub.admin.repo(`${projects[0]}/app`).mustPushImage(first, 'first');
    const acknowledged: { tag: string; image: Image }[] = [];
    const faults: string[] = [];
    let [home, over] = [0, false];
    const fault = (answer: Answer, what: string) => faults.push(`${what}: ${answer.status} ${answer.body.toString()}`);
    async function push(client: number): Promise<void> {
      for (let i = 0; !over; i++) {
        const [tag, one] = [`c${client}-${i}`, image({ layers: [500] })];
        const repo = (client % 2 === 0 ? hub.admin : replica).repo(`${projects[home]}/app`);
        const pushed = await repo.mustPushImage(one, tag).catch((error: unknown) => String(error));
        if (typeof pushed !== 'string') acknowledged.push({ tag, image: one });
        else if (!pushed.includes('got 403') || !pushed.includes('is called')) faults.push(pushed);
      }
    }
    async function pull(project: string): Promise<void> {
      while (!over) {
        const answer = await replica.repo(`${project}/app`).getManifest('first');
        if (answer.status !== 200) fault(answer, `pull by ${project}`);
        await turn();
      }
    }
    const clients = [push(0), push(1), push(2), pull(projects[0]!)];
    for (let round = 0; round < 4; round++) {
      const to_project = projects[1 - home]!;
      const body = { from: 'app', to_project, to: 'app' };
      const asked = await hub.api('POST', `/projects/${projects[home]}/repositories/move`, body);
      const { move } = expectStatus(asked, 202).json<{ move: { id: string } }>();
      await moveRepository(hub.db, Number(move.id));
      const done = await hub.api('GET', `/projects/${to_project}/moves/${move.id}`);
      expect(done.json()).toMatchObject({ state: 'done' });
      home = 1 - home;
      const before = acknowledged.length;
      while (acknowledged.length === before && faults.length === 0) await turn();
    }
    over = true;
    await Promise.all(clients);
    await hub.db.query(sql`delete from graphile_worker._private_jobs`);
    expect(faults.slice(0, 5)).toEqual([]);
    for (const project of projects) {
      for (const { tag } of acknowledged) expectStatus(await hub.admin.repo(`${project}/app`).getManifest(tag), 200);
      await expectExact(hub, project);
    }
    for (const { tag } of acknowledged) await hub.admin.repo(`${projects[home]}/app`).mustPull(tag);
  });
});

describe('of two at once', () => {
  const outcomes = (answers: readonly Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

  it('that rename one project, one wins, and the other is told', async () => {
    const project = await hub.project();
    const wanted = [unique('a'), unique('b')];
    const answers = await Promise.all(wanted.map((name) => renameProject(project, name)));
    expect(outcomes(answers)).toEqual([200, 403]);
    const winner = wanted[answers.findIndex(({ status }) => status === 200)]!;
    expect(answers.find(({ status }) => status === 403)!.json()).toMatchObject({
      type: 'urn:berth:problem:renamed',
      detail: expect.stringContaining(`${project} is called ${winner} now`),
    });
  });

  it('that want one name, one gets it', async () => {
    const projects = [await hub.project(), await hub.project()];
    const name = unique('wanted');
    expect(outcomes(await Promise.all(projects.map((project) => renameProject(project, name))))).toEqual([200, 409]);
    const project = await hub.project();
    for (const path of ['a', 'b']) await hub.admin.repo(`${project}/${path}`).mustPushImage(image(), 'v1');
    const both = await Promise.all(['a', 'b'].map((path) => renameRepository(project, path, 'c')));
    expect(outcomes(both)).toEqual([200, 409]);
  });

  it('a first push and a rename meet at one path, and there is one repository in the end', async () => {
    for (let i = 0; i < 10; i++) {
      const project = await hub.project();
      await hub.admin.repo(`${project}/a`).mustPushImage(image(), 'v1');
      const [renamed, pushed] = await Promise.all([
        renameRepository(project, 'a', 'b'),
        i % 2 === 0 ? replica.repo(`${project}/b`).post() : replica.repo(`${project}/a`).post(),
      ]);
      expect([200, 409]).toContain(renamed.status);
      expect([202, 403]).toContain(pushed.status);
      const listed = expectStatus(await hub.api('GET', `/projects/${project}/repositories`), 200);
      const paths = listed.json<{ items: { path: string }[] }>().items.map(({ path }) => path);
      if (renamed.status === 200) expect(paths).toEqual([`${project}/b`]);
      else expect(paths).toEqual([`${project}/a`, `${project}/b`]);
    }
  });

  it('a new project and a rename meet at one name, and one has it', async () => {
    for (let i = 0; i < 10; i++) {
      const [project, name] = [await hub.project(), unique('wanted')];
      // Either the name that it gets, or the one that it leaves.
      const asked = i % 2 === 0 ? name : project;
      const [renamed, made] = await Promise.all([renameProject(project, name), replica.repo(`${asked}/app`).post()]);
      const shown = async (what: string) => (await hub.api('GET', `/projects/${what}`)).json<{ name: string }>().name;
      if (renamed.status === 200) expect([await shown(project), await shown(name)]).toEqual([name, name]);
      else expect([await shown(project), await shown(name)]).toEqual([project, name]);
      expect([202, 403]).toContain(made.status);
    }
  });
});
