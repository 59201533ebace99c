/** ChartMuseum's views into one version: values.yaml as it is, and templates with the values as helm reads them. */
import type { Context, Middleware } from 'koa';
import type { Digest } from '../blobs/digest.ts';
import { findTemplates, findText } from '../registry/charts/extract.ts';
import { findVersion } from '../registry/charts/find.ts';
import { showYaml } from '../registry/charts/text.ts';
import { isVersion, tagOf } from '../registry/charts/versions.ts';
import { notFound } from './errors.ts';
import { decideOn, stateOf, type HelmDoor } from './guard.ts';

export function getValues(door: HelmDoor): Middleware {
  return async (ctx) => {
    const text = await findText(door.registry.db, await contentOf(door, ctx), 'values');
    if (text === undefined) throw notFound();
    ctx.set({ 'Cache-Control': 'private, no-cache', 'Content-Type': 'application/yaml' });
    ctx.body = text;
  };
}

export function getTemplates(door: HelmDoor): Middleware {
  return async (ctx) => {
    const { db } = door.registry;
    const content = await contentOf(door, ctx);
    const templates = (await findTemplates(db, content)).filter(({ path }) => path.startsWith('templates/'));
    const values = await findText(db, content, 'values');
    ctx.set('Cache-Control', 'private, no-cache');
    ctx.body = {
      templates: templates.map(({ path, text = '' }) => ({ name: path, data: Buffer.from(text).toString('base64') })),
      values: values === undefined ? {} : await showYaml('values.yaml', values),
    };
  };
}

async function contentOf(door: HelmDoor, ctx: Context): Promise<Digest> {
  const { namespace } = stateOf(ctx);
  const { name, version } = ctx['params'] as { name: string; version: string };
  const scene = await decideOn(door, ctx, `${namespace}/${name}`, isVersion(version) ? tagOf(version) : undefined);
  const found = await findVersion(door.registry, scene);
  if (!found) throw notFound();
  return found.chart.digest;
}
