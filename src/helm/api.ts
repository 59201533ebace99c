/** ChartMuseum's API: lists, one chart, one version, delete. */
import type { Context, Middleware } from 'koa';
import { findVersion } from '../registry/charts/find.ts';
import type { ListedChart } from '../registry/charts/index-memory.ts';
import { keyOf } from '../registry/charts/index-memory.ts';
import { placeOf } from '../registry/charts/names.ts';
import { deleteVersion as remove } from '../registry/charts/remove.ts';
import { isVersion, resolveVersion, tagOf } from '../registry/charts/versions.ts';
import { parseTag } from '../registry/names.ts';
import { HelmError, notFound } from './errors.ts';
import { decideOn, stateOf, type HelmDoor } from './guard.ts';
import { sendPieces } from './send-pieces.ts';
import { visibleCharts } from './visible.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** GET …/api/charts: every chart with all of its versions, by name. */
export function getCharts(door: HelmDoor): Middleware {
  return async (ctx) => {
    const charts = await visibleCharts(door, ctx);
    const { offset, limit } = pageOf(ctx);
    const pieces: Buffer[] = [Buffer.from('{')];
    for (const [i, chart] of charts.slice(offset, offset + limit).entries()) {
      if (i > 0) pieces.push(Buffer.from(','));
      pieces.push(keyOf(chart.name), chart.json);
    }
    pieces.push(Buffer.from('}'));
    sendPieces(ctx, JSON_TYPE, {
      pieces,
      size: pieces.reduce((sum, piece) => sum + piece.length, 0),
    });
  };
}

/** GET …/api/charts/:name: its versions, newest first. */
export function getChart(door: HelmDoor): Middleware {
  return async (ctx) => {
    const chart = await chartOf(door, ctx);
    sendPieces(ctx, JSON_TYPE, { pieces: [chart.json], size: chart.json.length });
  };
}

/** GET …/api/charts/:name/:version: one version, also `latest` or a range such as ^1.2. */
export function getVersion(door: HelmDoor): Middleware {
  return async (ctx) => {
    const chart = await chartOf(door, ctx);
    const { name, version: wanted } = ctx['params'] as { name: string; version: string };
    const version = resolveVersion(chart.versions, wanted);
    if (version === undefined) throw notFound();
    ctx.set('Cache-Control', 'private, no-cache');
    if (version !== wanted) {
      const { namespace } = stateOf(ctx);
      ctx.set('Content-Location', `/charts/${namespace}/api/charts/${name}/${encodeURIComponent(version)}`);
    }
    const entry = chart.entry(chart.versions.indexOf(version));
    sendPieces(ctx, JSON_TYPE, { pieces: [entry], size: entry.length });
  };
}

/** DELETE …/api/charts/:name/:version. Exact versions only. */
export function deleteVersion(door: HelmDoor): Middleware {
  return async (ctx) => {
    const { namespace, principal, requestId } = stateOf(ctx);
    const { name, version: text } = ctx['params'] as { name: string; version: string };
    const tag = isVersion(text) ? parseTag(tagOf(text)) : undefined;
    const scene = await decideOn(door, ctx, `${namespace}/${name}`, tag);
    const version = tag && (await findVersion(door.registry, scene));
    if (!version) throw notFound();
    await remove(door.registry, { scene, version, tag, principal, requestId });
    ctx.body = { deleted: true };
  };
}

async function chartOf(door: HelmDoor, ctx: Context): Promise<ListedChart> {
  const { namespace } = stateOf(ctx);
  const { name } = ctx['params'] as { name: string };
  const { project, path } = await decideOn(door, ctx, `${namespace}/${name}`);
  // Where it is now, which is elsewhere when this is a former name.
  const place = placeOf(path);
  if (!project || !place) throw notFound();
  const { charts } = await door.indexes.of(project.id, place.namespace);
  const chart = charts.find((each) => each.name === place.name);
  if (!chart) throw notFound();
  return chart;
}

function pageOf(ctx: Context): { offset: number; limit: number } {
  const read = (name: string, least: number, otherwise: number): number => {
    const text = ctx.query[name];
    if (text === undefined) return otherwise;
    if (typeof text !== 'string' || !/^\d{1,9}$/.test(text) || Number(text) < least) {
      throw new HelmError(400, `${name} is not a whole number from ${least} on`);
    }
    return Number(text);
  };
  return { offset: read('offset', 0, 0), limit: read('limit', 1, Infinity) };
}
