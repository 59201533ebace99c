/** Every middleware and door, in order: the table of contents of HTTP. */
import Koa from 'koa';
import type { Server } from 'node:http';
import { audited } from './auth/audited.ts';
import { authDoor } from './auth/routes.ts';
import { StoreFull, type BlobStore } from './blobs/store.ts';
import { cliRoutes } from './cli.ts';
import type { Context } from './context.ts';
import { canonicalPath } from './helm/aliases.ts';
import { healthRoutes } from './health.ts';
import { clientAddress } from './http/client-address.ts';
import { requests } from './http/requests.ts';
import { createServer as createHttpServer } from './http/server.ts';
import { whenAsked } from './http/when-asked.ts';
import { ociDoor } from './oci/routes.ts';
import { targetOf } from './registry/scene.ts';
import { VERSION } from './version.ts';

export interface AppOptions {
  /** True once the process was told to end. */
  readonly draining?: () => boolean;
}

/** What a connection that the client gave up ends with, in Node's words. */
const GONE = /^(?:HPE_|ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)/;

export function createApp(context: Context, options: AppOptions = {}): Koa {
  const { config, log, db, store, registry, authenticator, tokens, keys, secrets, oidc, issuerKeys } = context;
  const app = new Koa();
  const report = (error: unknown, requestId: string): void => log.error({ err: error, requestId }, 'a request failed');
  app.on('error', (error: NodeJS.ErrnoException) => {
    // Who goes away in the middle is in the log already, as 499.
    if (GONE.test(error.code ?? '')) log.debug({ err: error }, 'a client went away');
    else log.error({ err: error }, 'an answer could not be completed');
  });

  app.use(
    requests(
      (line) => log.info(line, `${line.method} ${line.route ?? line.path} ${line.status}`),
      clientAddress(config.trustedProxies),
    ),
  );
  app.use(
    healthRoutes({
      version: VERSION,
      draining: options.draining ?? (() => false),
      checks: { postgres: () => db.pool.query('select 1'), storage: () => usable(store) },
    }),
  );
  app.use(cliRoutes(config.publicUrls[0] as string));
  app.use(audited(context.denials));
  const pace = { idleSeconds: config.limits.bodyIdleSeconds, minRate: config.limits.bodyMinRate };
  const { publicUrls, verifyReads } = config;
  app.use(ociDoor({ registry, authenticator, publicUrls, pace, verifyReads }, report));
  app.use(
    whenAsked(
      (path) => canonicalPath(path) !== undefined,
      async () => {
        const { helmDoor } = await import('./helm/routes.ts');
        const { createChartIndexes } = await import('./registry/charts/index-memory.ts');
        return helmDoor({ registry, authenticator, indexes: createChartIndexes(db), pace, verifyReads, report });
      },
    ),
  );
  app.use(
    whenAsked(under('/files'), async () => {
      const { filesDoor } = await import('./files/routes.ts');
      return filesDoor({ registry, authenticator, pace, verifyReads }, report);
    }),
  );
  const facts = async (path: string, principalId: number) =>
    targetOf(await registry.scenes.resolve({ path, principalId }));
  app.use(
    authDoor({
      db,
      oidc,
      tokens,
      keys,
      authenticator,
      gate: registry.gate,
      facts,
      publicUrls: config.publicUrls,
      sessions: config.sessions,
      report,
    }),
  );
  app.use(
    whenAsked(under('/api'), async () => {
      const { apiDoor } = await import('./api/routes.ts');
      const { createRate } = await import('./api/rate.ts');
      return apiDoor({
        db,
        authenticator,
        gate: registry.gate,
        facts,
        registry,
        publicUrls: config.publicUrls,
        secrets,
        issuerKeys,
        rate: createRate(config.apiRate),
        sessions: config.sessions,
        report,
      });
    }),
  );
  return app;
}

/** Paths of what stands under a name. */
function under(name: string): (path: string) => boolean {
  return (path) => path === name || path.startsWith(`${name}/`);
}

/** A full store still serves pulls, so it is no reason to take the hub out of service. */
async function usable(store: BlobStore): Promise<void> {
  await store.check().catch((error: unknown) => {
    if (!(error instanceof StoreFull)) throw error;
  });
}

/** The app behind an HTTP server with the hub's timeouts; not listening yet. */
export function createServer(context: Context, options: AppOptions = {}): Server {
  return createHttpServer(createApp(context, options));
}
