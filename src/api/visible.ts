/** Pages of rows of which the caller may see only some. */

interface Reading<T> {
  /** Sort key of the last page's last row. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly read: (after: string | undefined, size: number) => Promise<T[]>;
  readonly keyOf: (row: T) => string;
  readonly sees: (row: T) => boolean | Promise<boolean>;
}

const BATCH = 500;

/** Up to `limit` + 1 rows that the caller may see: the one too many says that there is another page. */
export async function visiblePage<T>({ after, limit, read, keyOf, sees }: Reading<T>): Promise<T[]> {
  const visible: T[] = [];
  const size = Math.max(BATCH, limit + 1);
  for (let last = after; ;) {
    const rows = await read(last, size);
    for (const row of rows) {
      if (await sees(row)) visible.push(row);
      if (visible.length > limit) return visible;
    }
    const end = rows.at(-1);
    if (rows.length < size || end === undefined) return visible;
    last = keyOf(end);
  }
}
