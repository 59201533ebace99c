/** The versions of a repository, page by page. */
import type { Context } from 'koa';
import { digestFromBytes } from '../blobs/digest.ts';
import { listVersions } from '../registry/files/versions.ts';
import type { Repository } from '../registry/repositories.ts';
import { pathOf } from './address.ts';
import { FileError } from './errors.ts';
import type { FilesDoor } from './guard.ts';
import { link, page, wantsHtml, writePage } from './html.ts';

const MAX_PAGE = 1_000;

export async function sendVersions({ registry }: FilesDoor, ctx: Context, repository: Repository): Promise<void> {
  const { last, limit } = pageOf(ctx);
  const rows = await listVersions(registry, repository, last, limit + 1);
  const shown = rows.slice(0, limit);
  const next = rows.length > limit ? shown.at(-1)?.name : undefined;
  const more = next && `/files/${repository.path}/?${new URLSearchParams({ n: String(limit), last: next }).toString()}`;
  if (more) ctx.set('Link', `<${more}>; rel="next"`);
  ctx.set('Cache-Control', 'private, no-cache');
  ctx.vary('Accept');
  if (wantsHtml(ctx)) {
    const table = shown.map((row) => [
      link(pathOf(repository.path, row.name, ''), `${row.name}/`),
      row.kind,
      row.final ? 'final' : '',
    ]);
    if (more) table.push([link(more, 'more …'), '', '']);
    return writePage(ctx, page(repository.path, ['Version', 'Kind', ''], table));
  }
  ctx.set('Content-Type', 'application/json');
  ctx.body = JSON.stringify({
    repository: repository.path,
    versions: shown.map((row) => ({
      version: row.name,
      kind: row.kind,
      ...(!row.stale && { digest: digestFromBytes(row.digest) }),
      final: row.final,
      ...(row.files !== null && { files: row.files }),
      ...(row.properties !== null && { properties: row.properties }),
      updated_at: row.updated_at.toISOString(),
      href: pathOf(repository.path, row.name, ''),
    })),
  });
}

function pageOf(ctx: Context): { last: string; limit: number } {
  const { n = String(MAX_PAGE), last = '' } = ctx.query;
  if (typeof n !== 'string' || !/^[1-9]\d{0,8}$/.test(n)) {
    throw new FileError(400, 'request-invalid', 'n must be a whole number, 1 or more');
  }
  if (typeof last !== 'string' || last.includes('\0') || last.length > 128) {
    throw new FileError(400, 'request-invalid', 'last must come from the Link of the page before');
  }
  return { last, limit: Math.min(Number(n), MAX_PAGE) };
}
