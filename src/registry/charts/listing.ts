/** The charts of a project. */
import type { Queryable } from '../../db/database.ts';
import { selectProjectCharts } from '../queries/charts.ts';

export interface ChartEntry {
  /** Of its repository. */
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  /** That are to be found. */
  readonly versions: number;
  readonly updatedAt: Date;
}

export async function listCharts(
  db: Queryable,
  projectId: number,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<ChartEntry[]> {
  const rows = await selectProjectCharts(db, projectId, page.after ?? '', page.limit);
  return rows.map(({ updated_at, ...row }) => ({ ...row, updatedAt: updated_at }));
}
