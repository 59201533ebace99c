/** What a person reads when the hub is ready. */

/** `password` only when the hub has just made one. */
export function greeting(url: string, password: string | undefined): string {
  const { host } = new URL(url);
  const lines = [`Berth is ready at ${url}`, ''];
  if (password !== undefined) {
    lines.push('  user      admin', `  password  ${password}    (made now and not shown again)`, '');
  }
  lines.push(
    'Push and pull your first image:',
    '',
    `  docker login ${host} --username admin`,
    `  docker tag hello-world ${host}/demo/hello-world && docker push ${host}/demo/hello-world`,
    `  docker pull ${host}/demo/hello-world`,
    '',
  );
  return `${lines.join('\n')}\n`;
}
