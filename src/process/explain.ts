/** `berth explain`: what someone may do, and which rule says so, by the hub's own gate. */
import { explainSubject } from '../auth/explain.ts';
import { createGate } from '../auth/gate.ts';
import { SUBJECT_TYPES, type SubjectType } from '../auth/grants.ts';
import { isRepositoryPath } from '../auth/names.ts';
import type { Action, Explanation } from '../auth/principal.ts';
import type { Reading } from '../config.ts';
import { createLog } from '../log.ts';
import { createScenes, targetOf } from '../registry/scene.ts';
import { withDatabase } from './database-access.ts';
import { withMigrated } from './prepare.ts';

const ACTIONS = ['pull', 'push', 'delete', 'admin'] as const satisfies readonly Action[];
const CHANGES = ['create', 'overwrite', 'delete'] as const;

/** Prints the verdict and the grants behind it. Returns 0 for yes and 1 for no, so that scripts can ask. */
export async function explainRight(
  { config }: Reading,
  [subject = '', action = '', path = '']: readonly string[],
  options: Readonly<Record<string, string>>,
): Promise<number> {
  const { tag, change } = options;
  const type = oneOf('--subject-type', SUBJECT_TYPES, options['subjectType'] ?? implied(subject));
  if (!isRepositoryPath(path)) throw new Error(`${path} is not the path of a repository, such as team/app`);
  const question = {
    action: oneOf('The action', ACTIONS, action),
    path,
    ...(tag !== undefined && { tag }),
    ...(change !== undefined && { change: oneOf('--change', CHANGES, change) }),
  };
  const explanation = await withDatabase(config, createLog(config.logLevel, 'explain'), (located) =>
    withMigrated(located, (db) => {
      const scenes = createScenes(db);
      const facts = async (at: string, principalId: number) =>
        targetOf(await scenes.resolve({ path: at, principalId }));
      return explainSubject({ db, gate: createGate(db, config), facts }, { type, name: subject }, question);
    }),
  );
  process.stdout.write(readable(explanation));
  return explanation.verdict.effect === 'deny' ? 1 : 0;
}

function readable({ verdict, rules }: Explanation): string {
  const considered = rules.map(
    ({ rule, obstacle }) =>
      `  ${obstacle === undefined ? 'yes' : 'no '}  ${rule}${obstacle === undefined ? '' : `; ${obstacle}`}\n`,
  );
  return `${verdict.effect === 'deny' ? 'no' : 'yes'}: ${verdict.reason}\n${considered.join('')}`;
}

function implied(subject: string): SubjectType {
  return subject === 'everyone' ? 'everyone' : 'user';
}

function oneOf<T extends string>(what: string, values: readonly T[], given: string): T {
  const found = values.find((value) => value === given);
  if (found === undefined) throw new Error(`${what} is one of ${values.join(', ')}, not ${given}`);
  return found;
}
