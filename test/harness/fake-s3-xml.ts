/** The XML of S3's answers and the little that it reads. */

/** An error as S3 answers it. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Element = readonly [name: string, content: string | number | boolean | readonly Element[]];

export function xml(root: string, elements: readonly Element[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${render(elements)}</${root}>`;
}

function render(elements: readonly Element[]): string {
  return elements
    .map(
      ([name, content]) =>
        `<${name}>${Array.isArray(content) ? render(content as Element[]) : escape(String(content))}</${name}>`,
    )
    .join('');
}

export function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${render([
    ['Code', code],
    ['Message', message],
    ['RequestId', 'fake'],
  ])}</Error>`;
}

/** Part numbers and ETags of a CompleteMultipartUpload. */
export function parseParts(body: string): { n: number; etag: string }[] {
  return [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => {
    const n = Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]);
    const etag = /<ETag>(.*?)<\/ETag>/s.exec(part)?.[1] ?? '';
    return { n, etag: etag.replaceAll('&quot;', '"').replaceAll('&#34;', '"') };
  });
}

/** Keys of a DeleteObjects; no key of the hub needs an escape. */
export function parseKeys(body: string): string[] {
  return [...body.matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, key = '']) => key);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
