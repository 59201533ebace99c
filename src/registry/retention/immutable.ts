/** Tags that no rule of retention takes away: those that rules of immutability are about. */
import type { Queryable } from '../../db/database.ts';

/** Which rule makes a tag of the repository immutable, as words; undefined when none does. */
export type Immutability = (tag: string) => string | undefined;

export async function immutabilityOf(_db: Queryable, _repository: { id: number; path: string }): Promise<Immutability> {
  return () => undefined;
}
