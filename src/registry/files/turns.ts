/**
 * Requests of one process that change the same version wait for each other here rather than in Postgres, where each would
 * keep one of the few connections while it waits for the version's lock.
 */
const last = new Map<string, Promise<unknown>>();

export async function inTurn<T>(repositoryId: number, tag: string, work: () => Promise<T>): Promise<T> {
  const key = `${repositoryId} ${tag}`;
  const before = last.get(key);
  const mine = (async () => {
    await before;
    return work();
  })();
  // Whoever waits only wants to know that this one is over.
  const over = mine.then(
    () => undefined,
    () => undefined,
  );
  last.set(key, over);
  try {
    return await mine;
  } finally {
    if (last.get(key) === over) last.delete(key);
  }
}
