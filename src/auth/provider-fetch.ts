/** How OIDC providers are asked: by the hub's one way out, with what the administrator who registered them has allowed. */
import type { Outbound, OutboundAnswer } from '../http/outbound.ts';
import type { ProviderFetch } from './oidc.ts';

const SECONDS = 10;
const LARGEST = 2 ** 20;

/** Redirects are not followed: a provider says in its description where it is to be asked. */
export function providerFetch(outbound: Outbound): ProviderFetch {
  return ({ settings }) =>
    async (url, { method, headers, body, signal }) => {
      const sent = bytesOf(body);
      const answer = await outbound.send(url, {
        method,
        headers,
        ...(sent !== undefined && { body: sent }),
        ...(signal && { signal }),
        trust: {
          // Whoever wrote an issuer with http wants it asked so; nothing else is.
          http: settings.issuer.startsWith('http:'),
          privateAddresses: settings.privateAddresses,
          ...(settings.ca !== undefined && { ca: settings.ca }),
        },
        seconds: SECONDS,
        maxBytes: LARGEST,
      });
      const read = await answer.read();
      return new Response(read.length === 0 ? null : new Uint8Array(read), {
        status: answer.status,
        headers: headersOf(answer),
      });
    };
}

/** What openid-client sends: forms. */
function bytesOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('a body of another kind than openid-client sends');
}

function headersOf({ headers: received }: OutboundAnswer): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(received)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}
