/** GET `<name>-<version>.tgz` and its `.prov`. */
import type { Middleware } from 'koa';
import { verified } from '../blobs/verify.ts';
import { sendContent } from '../http/send.ts';
import { readBlob } from '../registry/blobs.ts';
import { blobOf, findChartFile, findVersion } from '../registry/charts/find.ts';
import { guessChart } from '../registry/charts/names.ts';
import { notFound } from './errors.ts';
import { decideOn, stateOf, type HelmDoor } from './guard.ts';

const FILE = /^([\x21-\x7e]{1,400}\.tgz)(\.prov)?$/;

export function getFile(door: HelmDoor): Middleware {
  const { registry } = door;
  return async (ctx) => {
    const {
      namespace,
      namedNow,
      scene: { project },
    } = stateOf(ctx);
    // Some proxies and stores read + as a space.
    const [, file, prov] = FILE.exec((ctx['params'] as { file: string }).file.replaceAll(' ', '+')) ?? [];
    const row = file && project && (await findChartFile(registry.db, project.id, namedNow, file));
    const { path, tag } = row ? { path: `${namespace}/${row.name}`, tag: row.tag } : guessChart(namespace, file ?? '');
    const scene = await decideOn(door, ctx, path, tag);
    // What has moved out of the namespace is found by the name of its file alone.
    const version = row || scene.askedPath !== undefined ? await findVersion(registry, scene) : undefined;
    const layer = prov === undefined ? version?.chart : version?.provenance;
    const blob = version && layer && (await blobOf(registry, version, layer));
    if (!blob) throw notFound();
    if (ctx.method === 'GET') registry.pulls.note(version.repository.id, version.manifest, row ? row.tag : undefined);
    // The same name may come to hold other bytes, by force or by a late provenance file.
    ctx.set({ 'Cache-Control': 'private, no-cache', Vary: 'Authorization' });
    await sendContent(ctx, {
      size: blob.size,
      type: prov === undefined ? 'application/gzip' : 'application/pgp-signature',
      etag: `"${layer.digest}"`,
      read: async (range) => {
        const bytes = await readBlob(registry, blob, range);
        return door.verifyReads && !range ? verified(bytes, layer.digest, blob.size) : bytes;
      },
    });
  };
}
