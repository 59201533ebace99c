/** What came of a request, by what a client can see of it. */
import type { Answer } from '../harness/oci-client.ts';
import type { Outcome } from './policy.ts';

/** The sentences for what is missing and what may not be seen: of files, of the API, and of the classic door for charts. */
const HIDDEN = [
  'There is no such repository, or you may not see it',
  'Look at the spelling, or ask an owner for the right to see it.',
  'There is no such chart here',
];

export function outcomeOf(answer: Pick<Answer, 'status' | 'body'>): Outcome | 'broken' {
  const { status, body } = answer;
  if (status >= 500) return 'broken';
  // Wrong passwords are slowed down, which is a no as well.
  if (status === 401 || status === 429) return 'challenged';
  if (status === 403) return 'forbidden';
  if (status !== 404) return 'let through';
  const text = body.toString('utf8').trim();
  if (HIDDEN.includes(text)) return 'hidden';
  if (text !== '' && !text.startsWith('{')) return 'let through';
  const { errors, detail, error } = JSON.parse(text === '' ? '{}' : text) as {
    errors?: { code?: string }[];
    detail?: string;
    error?: string;
  };
  return errors?.[0]?.code === 'NAME_UNKNOWN' || HIDDEN.includes(detail ?? error ?? '') ? 'hidden' : 'let through';
}

/** Works through all items, some at once, in no order. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>, parallel = 24): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
