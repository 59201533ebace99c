/** An event as a hook is told of it: CloudEvents 1.0, structured JSON (specification, "Event Format"; JSON format, section 3). */
import type { OutboxEvent } from '../queries/webhook-outbox.ts';
import { PREFIX, tagsOf } from './filter.ts';
import type { View } from './rights.ts';

export const CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8';
/** A message may have that much; what is longer says so, and leaves out what is long. */
export const LARGEST_MESSAGE = 64 * 1024;

/** Of an event's data, what concerns who may pull from the repository. Whatever is not here is for owners of the project. */
const CONTENT = ['digest', 'mediaType', 'artifactType', 'kind', 'size', 'tag', 'tags', 'version'];
/** The same of events about files, where a path is that of a file. */
const FILES = ['path', 'count', 'files'];
/** For nobody: where people are, as `events.origin`, which is never read into a message at all. */
const NEVER = new Set(['address', 'userAgent', 'user_agent']);

export function messageOf(event: OutboxEvent, view: View, source: string): string {
  const { data, project, repository, actor, actorKind } = event;
  const found = data ?? {};
  const shown =
    view === 'whole' ? Object.fromEntries(Object.entries(found).filter(([key]) => !NEVER.has(key))) : contentOf(event);
  const place = {
    ...(project !== null && { project }),
    ...(repository !== null && { repository }),
    // Who did it is in the audit trail, which owners of the project read.
    ...(view === 'whole' && actor !== null && { actor: { type: actorKind, name: actor } }),
  };
  const envelope = {
    specversion: '1.0',
    id: String(event.id),
    source,
    type: event.type,
    ...subjectOf(event),
    time: event.at,
    datacontenttype: 'application/json',
  };
  const text = JSON.stringify({ ...envelope, data: { ...shown, ...place } });
  if (data !== null && Buffer.byteLength(text) <= LARGEST_MESSAGE) return text;
  return JSON.stringify({ ...envelope, data: { ...brief(shown), ...place, truncated: true } });
}

/** A hook is tried out. */
export function pingOf(webhookId: number, id: string, at: Date, source: string): { type: string; text: string } {
  const type = `${PREFIX}ping`;
  const envelope = {
    specversion: '1.0',
    id,
    source,
    type,
    time: at.toISOString(),
    datacontenttype: 'application/json',
  };
  return { type, text: JSON.stringify({ ...envelope, data: { webhook: String(webhookId) } }) };
}

function contentOf(event: OutboxEvent): Record<string, unknown> {
  const data = event.data ?? {};
  const keys = event.type.startsWith(`${PREFIX}file.`) ? [...CONTENT, ...FILES] : CONTENT;
  const shown = Object.fromEntries(keys.flatMap((key) => (key in data ? [[key, data[key]]] : [])));
  // By tag, as pushes have it. Elsewhere it is what anything was before, such as a repository's path in another project.
  const tags = new Set(tagsOf(event));
  const before = Object.entries(data['before'] ?? {}).filter(([key]) => tags.has(key));
  return before.length === 0 ? shown : { ...shown, before: Object.fromEntries(before) };
}

function subjectOf(event: OutboxEvent): { subject?: string } {
  const { repository, project, data } = event;
  if (repository === null) return project === null ? {} : { subject: project };
  const tags = tagsOf(event);
  const digest = data?.['digest'];
  if (tags.length === 1) return { subject: `${repository}:${tags[0]}` };
  return { subject: typeof digest === 'string' ? `${repository}@${digest}` : repository };
}

function brief(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).filter(
      ([, value]) =>
        (typeof value === 'string' && value.length <= 256) || typeof value === 'number' || typeof value === 'boolean',
    ),
  );
}
