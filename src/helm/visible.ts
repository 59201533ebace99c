/** Of a namespace, what the caller may pull: grants hold for paths, so an index may be a part of another one. */
import type { Context } from 'koa';
import type { ListedChart } from '../registry/charts/index-memory.ts';
import { targetOf } from '../registry/scene.ts';
import { stateOf, type HelmDoor } from './guard.ts';

export async function visibleCharts(door: HelmDoor, ctx: Context): Promise<readonly ListedChart[]> {
  const { namespace, namedNow, principal, scene } = stateOf(ctx);
  const { charts } = scene.project ? await door.indexes.of(scene.project.id, namedNow) : { charts: [] };
  const visible: ListedChart[] = [];
  for (const chart of charts) {
    // A registry token lists the names that its client uses.
    const asked = namespace === namedNow ? {} : { askedPath: `${namespace}/${chart.name}` };
    const target = { ...targetOf(scene), path: `${namedNow}/${chart.name}`, ...asked };
    if ((await door.registry.gate.decide(principal, 'pull', target)).effect !== 'deny') visible.push(chart);
  }
  // The list itself for who sees all of it: what was made of it once serves again.
  return visible.length === charts.length ? charts : visible;
}
