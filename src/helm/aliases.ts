/**
 * The forms in which ChartMuseum's clients write a path. `helm cm-push` joins the server's context path, `api`, the rest of
 * the repository's path and `charts`; index.yaml here says that all of the path is context, which gives
 * `/charts/acme/charts/api/charts`. Who was told another context path comes to one of the others. Each becomes the first
 * before anything is looked up, so that one guard sees one path.
 */

/** Undefined for what is no business of this door. */
export function canonicalPath(path: string): string | undefined {
  const match = /^\/(?:charts\/api|api\/charts)\/(.+)\/(charts|prov|charts\/[^/]+\/[^/]+)$/.exec(path);
  if (match && !isOurs(match[1] as string)) return `/charts/${match[1]}/api/${match[2]}`;
  return path === '/charts' || path.startsWith('/charts/') ? path : undefined;
}

/** `/charts/api/…/api/…` is no alias of anything. */
function isOurs(namespace: string): boolean {
  return namespace.split('/').includes('api');
}
