/** The classic door, as a table: index.yaml and archives as helm reads them, and ChartMuseum's API in its own order. */
import type { Middleware } from 'koa';
import { methodsAt, mount, route, type Route } from '../http/table.ts';
import { canonicalPath } from './aliases.ts';
import { deleteVersion, getChart, getCharts, getVersion } from './api.ts';
import { getTemplates, getValues } from './contents.ts';
import { getFile } from './download.ts';
import { HelmError, toHelmError, writeHelmError } from './errors.ts';
import { can, enforce, see, upload, type HelmDoor, type HelmPolicy } from './guard.ts';
import { getIndex } from './index-file.ts';
import { postChart, postProvenance } from './upload.ts';

export function helmRoutes(door: HelmDoor): Route<HelmPolicy>[] {
  return [
    route('helm-index', 'GET', '/charts/*namespace/index.yaml', see, getIndex(door)),
    route('helm-charts', 'GET', '/charts/*namespace/api/charts', see, getCharts(door)),
    route('helm-chart', 'GET', '/charts/*namespace/api/charts/:name', can('pull'), getChart(door)),
    route('helm-version', 'GET', '/charts/*namespace/api/charts/:name/:version', can('pull'), getVersion(door)),
    route('helm-values', 'GET', '/charts/*namespace/api/charts/:name/:version/values', can('pull'), getValues(door)),
    route(
      'helm-templates',
      'GET',
      '/charts/*namespace/api/charts/:name/:version/templates',
      can('pull'),
      getTemplates(door),
    ),
    route('helm-upload', 'POST', '/charts/*namespace/api/charts', upload, postChart(door)),
    route('helm-upload-prov', 'POST', '/charts/*namespace/api/prov', upload, postProvenance(door)),
    route('helm-delete', 'DELETE', '/charts/*namespace/api/charts/:name/:version', can('delete'), deleteVersion(door)),
    route('helm-file', 'GET', '/charts/*namespace/:file', can('pull'), getFile(door)),
  ];
}

/** Everything under /charts, and the forms of it that ChartMuseum's clients come to. */
export function helmDoor(door: HelmDoor): Middleware {
  const table = mount(helmRoutes(door), enforce(door));
  return async (ctx, next) => {
    const path = canonicalPath(ctx.path);
    if (path === undefined) return next();
    ctx.path = path;
    try {
      await table(ctx, async () => {
        const allowed = [...new Set(methodsAt(ctx))].join(', ');
        throw allowed === ''
          ? new HelmError(404, 'There is nothing here; an index is at /charts/<namespace>/index.yaml, see docs/helm.md')
          : new HelmError(405, `This path offers ${allowed}, not ${ctx.method}`, { Allow: allowed });
      });
    } catch (error) {
      const answer = toHelmError(error);
      if (answer.status >= 500) door.report(error, ctx.state['requestId'] as string);
      if (ctx.res.headersSent || !ctx.writable) {
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      writeHelmError(ctx, answer);
    }
  };
}
