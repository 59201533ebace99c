/** Tags that no rule of retention takes away: those that rules of immutability are about. */
import type { Queryable, Transaction } from '../../db/database.ts';
import { described, immutabilityOf } from '../immutability.ts';
import { guardTags, selectRulesOfRepository } from '../queries/immutability.ts';

/** Which rule makes a tag of the repository immutable, as words; undefined when none does. */
export type Immutability = (tag: string) => string | undefined;

export async function immutabilityIn(db: Queryable, repositoryId: number): Promise<Immutability> {
  const rules = await selectRulesOfRepository(db, repositoryId);
  const find = immutabilityOf(rules);
  return (tag) => {
    const rule = rules[0] && find(rules[0].path, tag);
    return rule && described(rule);
  };
}

/** The same for a transaction that deletes: no rule comes or goes until it ends. */
export async function guardedImmutability(tx: Transaction, repositoryId: number): Promise<Immutability> {
  return (await guardTags(tx, repositoryId)) ? immutabilityIn(tx, repositoryId) : () => undefined;
}
