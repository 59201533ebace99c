/** `berth share`: links that open one file to whoever has them. */
import { usage } from '../errors.ts';
import { columns } from '../output.ts';
import { parseReference, showReference } from '../reference.ts';
import { openHub, type Session } from '../session.ts';

interface Share {
  readonly id: string;
  readonly repository: string;
  readonly version: string;
  readonly path: string;
  readonly action: string;
  readonly created_by: string;
  readonly expires_at: string;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

export async function share(session: Session, text: string, options: { for: string; upload?: boolean }): Promise<void> {
  const reference = parseReference(text);
  const { repository, version, path } = reference;
  if (version === undefined || path === '' || path.endsWith('/')) {
    throw usage('A link opens one file: berth share team/tools:1.2.3/linux/cli');
  }
  const [, count, unit = ''] = /^(\d{1,8})([smhd])$/.exec(options.for) ?? [];
  if (count === undefined) throw usage('--for is a number and s, m, h or d, such as 12h');
  const hub = await openHub(session, reference);
  try {
    const made = await hub.json<Share & { url: string }>('POST', `/api/v1/projects/${projectOf(repository)}/shares`, {
      repository,
      version,
      path,
      action: options.upload ? 'upload' : 'download',
      expires_in_seconds: Number(count) * (UNITS[unit] ?? 1),
    });
    session.output.note(
      `Holds until ${made.expires_at}; berth share rm ${projectOf(repository)} ${made.id} takes it back`,
    );
    session.output.answer(made, made.url);
  } finally {
    hub.close();
  }
}

export async function listShares(session: Session, project: string): Promise<void> {
  const hub = await openHub(session);
  try {
    const all = await hub.list<Share>(`/api/v1/projects/${encodeURIComponent(project)}/shares`);
    const rows = all.map((one) => [one.id, one.action, showReference(one), one.created_by, one.expires_at]);
    session.output.answer(
      all,
      columns(rows),
      all.map(({ id }) => id),
    );
  } finally {
    hub.close();
  }
}

export async function revokeShare(session: Session, project: string, id: string): Promise<void> {
  const hub = await openHub(session);
  const path = `/api/v1/projects/${encodeURIComponent(project)}/shares/${encodeURIComponent(id)}`;
  try {
    await hub.ask({ method: 'DELETE', path });
    session.output.result({ id, revoked: true }, `took back link ${id}`, id);
  } finally {
    hub.close();
  }
}

function projectOf(repository: string): string {
  return repository.split('/')[0] as string;
}
