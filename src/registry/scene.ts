/**
 * The facts that every request starts from: which repository and project a path means, where a tag points, and the
 * epochs that say whether what memory remembers still holds.
 *
 * Requests that arrive while a query is on its way wait and share the next one, so a busy worker asks Postgres once for
 * dozens of requests. A request only joins a query that is sent after it arrived: tags are read linearizably (P6).
 */
import type { ProjectFacts, Target } from '../auth/principal.ts';
import { digestFromBytes, type Digest } from '../blobs/digest.ts';
import type { Database } from '../db/database.ts';
import { selectScenes, type SceneRow } from './queries/scene.ts';

export interface RepositoryFacts {
  readonly id: number;
  readonly path: string;
  /** Rises with every delete in the repository. */
  readonly epoch: number;
}

export interface Scene {
  /** The repository's path, or the project's name, as it is called now: what decisions are made on. */
  readonly path: string;
  /** What the request called it, when that is a former name; the gate lets nothing but reads through. */
  readonly askedPath?: string;
  readonly project: ProjectFacts | undefined;
  readonly repository: RepositoryFacts | undefined;
  /** Of the principal that was asked for; 0 for anonymous, gone or disabled. */
  readonly principalEpoch: number;
  /** Where the tag points; undefined when none was asked for or there is none. */
  readonly tagDigest: Digest | undefined;
  /** The files behind the tag have changed since; whoever wants the manifest has it built first (`files/build.ts`). */
  readonly tagStale: boolean;
}

export interface SceneQuestion {
  /** Repository path, a project's name, or '' when only the principal matters. */
  readonly path: string;
  readonly principalId: number;
  readonly tag?: string;
}

export interface Scenes {
  resolve(question: SceneQuestion): Promise<Scene>;
}

/** Two let one query's answer be read while Postgres works on the next. */
const MAX_IN_FLIGHT = 2;
const MAX_BATCH = 500;

interface Waiting {
  readonly question: SceneQuestion;
  readonly resolve: (scene: Scene) => void;
  readonly reject: (error: unknown) => void;
}

export function createScenes(db: Database): Scenes {
  const waiting: Waiting[] = [];
  let inFlight = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || inFlight >= MAX_IN_FLIGHT || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => void flush());
  }

  async function flush(): Promise<void> {
    scheduled = false;
    const batch = waiting.splice(0, MAX_BATCH);
    inFlight++;
    schedule();
    const index = new Map<string, number>();
    const questions: SceneQuestion[] = [];
    const places = batch.map(({ question }) => {
      const key = `${question.principalId} ${question.path} ${question.tag ?? ''}`;
      let place = index.get(key);
      if (place === undefined) {
        place = questions.push(question) - 1;
        index.set(key, place);
      }
      return place;
    });
    try {
      const scenes = (await selectScenes(db, questions)).map(toScene);
      for (const [i, { resolve }] of batch.entries()) resolve(scenes[places[i] as number] as Scene);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight--;
      schedule();
    }
  }

  return {
    resolve(question) {
      return new Promise((resolve, reject) => {
        waiting.push({ question, resolve, reject });
        schedule();
      });
    },
  };
}

function toScene(row: SceneRow): Scene {
  return {
    path: row.path,
    ...(row.asked !== row.path && { askedPath: row.asked }),
    project:
      row.project_id === null
        ? undefined
        : {
            id: row.project_id,
            name: row.project_name as string,
            kind: row.project_kind as 'hosted' | 'proxy',
            visibility: row.visibility as 'private' | 'public',
            allowSparse: row.allow_sparse as boolean,
            limited: row.limited as boolean,
            epoch: row.project_epoch as number,
          },
    repository:
      row.repository_id === null
        ? undefined
        : { id: row.repository_id, path: row.path, epoch: row.repository_epoch as number },
    principalEpoch: row.principal_epoch ?? 0,
    tagDigest: row.tag_digest === null ? undefined : digestFromBytes(row.tag_digest),
    tagStale: row.tag_stale ?? false,
  };
}

/** What the gate wants to know, out of a scene. */
export function targetOf(scene: Scene, more: Pick<Target, 'tag' | 'change' | 'digest'> = {}): Target {
  const { path, askedPath, project, principalEpoch } = scene;
  return { path, ...(askedPath !== undefined && { askedPath }), project, principalEpoch, ...more };
}
