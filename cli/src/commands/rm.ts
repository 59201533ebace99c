/** `berth rm`: a file, or a version. */
import { filesPath, parseReference, requireTag, showReference } from '../reference.ts';
import { confirm } from '../prompt.ts';
import { openHub, type Session } from '../session.ts';
import { usage } from '../errors.ts';

export async function remove(
  session: Session,
  texts: readonly string[],
  options: { yes?: boolean; dryRun?: boolean },
): Promise<void> {
  const references = texts.map(parseReference);
  for (const reference of references) {
    requireTag(reference);
    if (reference.path.endsWith('/')) throw usage('A folder goes with its last file; name files, or the version');
  }
  const names = references.map(showReference);
  if (options.dryRun)
    return session.output.result(
      names,
      names.map((name) => `would remove ${name}`),
      names,
    );
  await confirm(session, `Remove ${names.join(', ')}`, options.yes);
  for (const reference of references) {
    const hub = await openHub(session, reference);
    try {
      await hub.ask({ method: 'DELETE', path: filesPath(reference) });
    } finally {
      hub.close();
    }
  }
  session.output.result(
    names,
    names.map((name) => `removed ${name}`),
    names,
  );
}
