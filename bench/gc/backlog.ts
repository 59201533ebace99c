/** Garbage that waits in a hub until a window of the bench wants it: images in a trash that nobody emptied, with real objects. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { makeRows, SIZE } from './rows.ts';

/** Images that become due at once: some seconds of work for the collector. */
const PORTION = 1_000;

export class Backlog {
  readonly #client: pg.Client;
  /** Images that may be made due still. */
  left = 0;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async make(url: string, dataDir: string, blobs: number, garbage: number): Promise<Backlog> {
    const rows = await makeRows({ url, blobs, garbage, deletedAt: `'infinity'::timestamptz`, say: console.log });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const backlog = new Backlog(client);
    backlog.left = rows.trash;
    await backlog.#makeObjects(dataDir);
    // What was made due for its own sake is not of this bench.
    await client.query('delete from link_reviews where review_after < now()');
    return backlog;
  }

  /** Lets the next images go, and has a collector start if none works. */
  async feed(): Promise<void> {
    if ((await this.#due()) < PORTION / 2) {
      const { rowCount } = await this.#client.query(
        `update manifests set deleted_at = now() - interval '30 days'
         where id in (select id from manifests where deleted_at = 'infinity' order by id limit ${PORTION})`,
      );
      this.left -= rowCount ?? 0;
    }
    await this.#start();
  }

  /** Waits until nothing is due. */
  async drain(): Promise<void> {
    while ((await this.#due()) > 0 || (await this.#objects()) > 0 || (await this.#working())) {
      await this.#start();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** Contents that are gone for good. */
  async collected(): Promise<number> {
    return this.#count('select coalesce(sum(blobs), 0) as n from gc_runs');
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  /** Rows in the trash, and in the queues behind it, whose time has come. */
  #due(): Promise<number> {
    return this.#count(
      `select (select count(*) from manifests where deleted_at < now()) + (select count(*) from link_reviews where review_after < now())
              + (select count(*) from blob_reviews) as n`,
    );
  }

  #objects(): Promise<number> {
    return this.#count('select count(*) as n from dead_objects where delete_after < now()');
  }

  async #working(): Promise<boolean> {
    return (await this.#count(`select count(*) as n from graphile_worker.jobs where locked_by is not null`)) > 0;
  }

  async #start(): Promise<void> {
    for (const job of ['collect-garbage', 'sweep-dead-objects'])
      await this.#client.query('select graphile_worker.add_job($1, job_key => $2)', [job, `bench ${job}`]);
  }

  async #count(text: string): Promise<number> {
    const { rows } = await this.#client.query<{ n: string }>(text);
    return Number(rows[0]?.n);
  }

  /** Files for what will go. Nobody reads what stays. */
  async #makeObjects(dataDir: string): Promise<void> {
    const { rows } = await this.#client.query<{ key: string }>(
      `select b.key from manifests m join manifest_blobs mb on mb.manifest_id = m.id and mb.repository_id = m.repository_id
       join blobs b on b.id = mb.blob_id where m.deleted_at = 'infinity'`,
    );
    const content = Buffer.alloc(SIZE, 'garbage ');
    const folders = new Set(rows.map(({ key }) => path.dirname(key)));
    for (const folder of folders) await mkdir(path.join(dataDir, folder), { recursive: true });
    const left = [...new Set(rows.map(({ key }) => key))];
    const lane = async (): Promise<void> => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) await writeFile(path.join(dataDir, key), content);
    };
    await Promise.all(Array.from({ length: 8 }, lane));
  }
}
