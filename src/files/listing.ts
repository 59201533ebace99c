/** What is in a folder of a version, as a page for people and as JSON for programs. */
import type { Context } from 'koa';
import { digestOf } from '../blobs/digest.ts';
import { sendContent } from '../http/send.ts';
import { inFolder, listFiles, type Folder } from '../registry/files/read.ts';
import { describeVersion, unknownVersion, type FoundVersion } from '../registry/files/versions.ts';
import type { File } from '../registry/files/manifest.ts';
import { baseName } from '../registry/files/path.ts';
import { unknownFile } from '../registry/files/put.ts';
import type { Repository } from '../registry/repositories.ts';
import { pathOf } from './address.ts';
import type { FilesDoor } from './guard.ts';
import { link, page, sizeText, wantsHtml, writePage } from './html.ts';

export async function sendFolder(
  { registry }: FilesDoor,
  ctx: Context,
  repository: Repository,
  version: FoundVersion,
  folder: string,
): Promise<void> {
  const files = await listFiles(registry, repository, version);
  if (!files) throw unknownVersion();
  const name = version.tag ?? version.digest;
  const here = inFolder(files, folder);
  if (!here) throw unknownFile();
  ctx.vary('Accept');
  if (wantsHtml(ctx)) return writePage(ctx, folderPage(repository, name, folder, here));
  const about = version.tag === undefined ? undefined : await describeVersion(registry, repository, version.tag);
  const shown = ctx.query['recursive'] === undefined ? here.files : files.filter(({ path }) => path.startsWith(folder));
  const body = Buffer.from(
    JSON.stringify({
      repository: repository.path,
      version: name,
      // While files arrive there is no manifest that says what they are now.
      ...(!version.stale && { digest: version.digest }),
      final: about?.final ?? version.tag === undefined,
      ...(about?.properties && { properties: about.properties }),
      path: folder,
      ...(ctx.query['recursive'] === undefined && { folders: here.folders }),
      files: shown.map((file) => entry(repository, name, file)),
    }),
  );
  ctx.set('Content-Type', 'application/json');
  await sendContent(ctx, {
    size: body.length,
    type: 'application/json',
    etag: `"${digestOf('sha256', body)}"`,
    read: async (range) => (range ? body.subarray(range.start, range.end + 1) : body),
  });
}

function entry(repository: Repository, version: string, { path, digest, size }: File) {
  return { path, size, digest, href: pathOf(repository.path, version, path) };
}

function folderPage(repository: Repository, version: string, folder: string, { folders, files }: Folder): string {
  const title = `${repository.path}:${version}/${folder}`;
  const above = folder === '' ? undefined : folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  const up = above === undefined ? `/files/${repository.path}/` : pathOf(repository.path, version, above);
  const rows = [
    [link(up, '../'), '', ''],
    ...folders.map((name) => [link(pathOf(repository.path, version, `${folder}${name}/`), `${name}/`), '', '']),
    ...files.map(({ path, size, digest }) => [
      link(pathOf(repository.path, version, path), baseName(path)),
      sizeText(size),
      digest,
    ]),
  ];
  return page(title, ['Name', 'Size', 'Digest'], rows);
}
