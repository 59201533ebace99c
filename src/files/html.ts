/** Pages without a script: a title and a table. What goes in is escaped here and nowhere else. */
import { createHash } from 'node:crypto';
import type { Context } from 'koa';

const STYLE =
  'body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color-scheme:light dark}h1{font-size:1.1rem}' +
  'td,th{text-align:left;padding:.1rem 1.5rem .1rem 0;vertical-align:top}td:nth-child(3){font-family:monospace;font-size:.85em;opacity:.7}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Text that was escaped. */
export interface Html {
  readonly html: string;
}

export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** @param href a path of this hub */
export function link(href: string, text: string): Html {
  return { html: `<a href="${escape(href)}">${escape(text)}</a>` };
}

export function page(title: string, columns: readonly string[], rows: readonly (readonly (string | Html)[])[]): string {
  const cell = (content: string | Html) => (typeof content === 'string' ? escape(content) : content.html);
  const head = columns.map((name) => `<th>${escape(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((content) => `<td>${cell(content)}</td>`).join('')}</tr>`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>${STYLE}</style></head>
<body><h1>${escape(title)}</h1><table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table></body></html>
`;
}

export function writePage(ctx: Context, html: string): void {
  ctx.set('Content-Type', 'text/html; charset=utf-8');
  ctx.set(
    'Content-Security-Policy',
    `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
  );
  ctx.status = 200;
  ctx.body = html;
}

/** Browsers name text/html first; programs do not name it at all. */
export function wantsHtml(ctx: Context): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(ctx.get('Accept'));
}

export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
