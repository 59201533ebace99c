/** URLs with which clients fetch an object from S3 themselves. */
import { newClient, type S3, type S3Options } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';
import type { Redirects } from './store.ts';

/** Signs for the host that clients use, because the host is part of the signature. Sends nothing. */
export function presigner(s3: S3, options: S3Options): Redirects {
  const client = newClient(s3.sdk, options, options.publicEndpoint ?? options.endpoint, s3.timeout, 1);
  return {
    async presign(key, { seconds, contentType, filename }) {
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
      const command = new s3.sdk.GetObjectCommand({
        Bucket: s3.bucket,
        Key: key,
        ResponseContentType: contentType,
        ...(filename === undefined ? {} : { ResponseContentDisposition: attachment(filename) }),
      });
      try {
        return await getSignedUrl(client, command, { expiresIn: seconds });
      } catch (error) {
        throw s3Error(error, `sign a URL for ${key}`);
      }
    },
  };
}

/** RFC 6266: the exact name for browsers, and one in plain ASCII for clients that know only that. */
function attachment(filename: string): string {
  const plain = filename.replace(/[^\w.+-]/g, '_');
  const exact = encodeURIComponent(filename).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
