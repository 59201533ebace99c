/** POST: a chart, a provenance file, or both, as a form or as bare bytes. */
import type { Context, Middleware } from 'koa';
import { CHART_LIMITS } from '../registry/charts/limits.ts';
import { putChart, putProvenance } from '../registry/charts/put.ts';
import { quotaWarning } from '../registry/quota/warning.ts';
import { openBody } from './body-memory.ts';
import { HelmError } from './errors.ts';
import { readForm } from './form.ts';
import { stateOf, type HelmDoor } from './guard.ts';

interface Uploaded {
  readonly chart?: Buffer | undefined;
  readonly prov?: Buffer | undefined;
}

/** POST …/api/charts */
export function postChart(door: HelmDoor): Middleware {
  return async (ctx) => {
    using body = openBody(ctx, door.pace);
    const { chart, prov } = isForm(ctx)
      ? await readForm(ctx, body)
      : { chart: await body.all(CHART_LIMITS.compressed) };
    await store(door, ctx, { chart, prov });
  };
}

/** POST …/api/prov */
export function postProvenance(door: HelmDoor): Middleware {
  return async (ctx) => {
    using body = openBody(ctx, door.pace);
    const { prov } = isForm(ctx) ? await readForm(ctx, body) : { prov: await body.all(CHART_LIMITS.provenance) };
    await store(door, ctx, { prov });
  };
}

async function store({ registry }: HelmDoor, ctx: Context, { chart, prov }: Uploaded): Promise<void> {
  const { namespace, principal, requestId } = stateOf(ctx);
  const put = { namespace, principal, requestId, force: 'force' in ctx.query };
  if (!chart && !prov) {
    throw new HelmError(400, 'The form has neither a file in its field chart nor one in its field prov');
  }
  const { repository } = chart
    ? await putChart(registry, { ...put, chart, provenance: prov })
    : await putProvenance(registry, { ...put, provenance: prov as Buffer });
  const warning = await quotaWarning(registry, repository);
  if (warning !== undefined) ctx.append('Warning', warning);
  ctx.status = 201;
  ctx.body = { saved: true };
}

function isForm(ctx: Context): boolean {
  return /^multipart\/form-data\b/i.test(ctx.get('Content-Type'));
}
