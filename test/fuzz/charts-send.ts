/** Sends what `charts-inputs.ts` makes, and goes away where it says so. */
import { connect } from 'node:net';
import { basic, send, type Answer, type Credentials } from '../harness/oci-client.ts';
import type { Upload } from './charts-inputs.ts';

export interface Door {
  readonly origin: string;
  readonly namespace: string;
  readonly credentials: Credentials;
}

/** Undefined: the client went away before the answer. */
export async function sendUpload(door: Door, input: Upload): Promise<Answer | undefined> {
  const path = `/charts/${door.namespace}${input.path}`;
  const headers = { Authorization: basic(door.credentials), 'Content-Type': input.type };
  if (input.abortAt === undefined) return send(door.origin, { method: 'POST', path, headers, body: input.body });
  const { hostname, port, host } = new URL(door.origin);
  const socket = connect(Number(port), hostname);
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => {}).on('close', () => resolve());
  });
  const lines = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Content-Length: ${input.body.length}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.write(input.body.subarray(0, input.abortAt), () => socket.destroy());
  await closed;
  return undefined;
}

/** What is wrong with an answer; undefined when nothing is. */
export function faultOf(answer: Answer | undefined): string | undefined {
  if (answer === undefined || answer.status === 201) return undefined;
  if (answer.status >= 500 || answer.status < 400) return `status ${answer.status}: ${answer.body.toString()}`;
  const { error } = answer.json<{ error?: unknown }>();
  return typeof error === 'string' && error.length > 5 && error.length < 2_000 ? undefined : `error ${String(error)}`;
}
