/** What a command starts from: its options, its hub, and who it is there. */
import { Hub } from './http.ts';
import { usage } from './errors.ts';
import type { Format, Output } from './output.ts';
import type { Reference } from './reference.ts';
import { basic, findCredentials, originOf, readSettings, type Credentials } from './settings.ts';

export interface GlobalOptions {
  readonly hub?: string;
  readonly format: Format;
  readonly quiet?: boolean;
  /** False with --no-input. */
  readonly input: boolean;
  readonly retries: number;
}

export interface Session {
  readonly env: NodeJS.ProcessEnv;
  readonly options: GlobalOptions;
  readonly output: Output;
}

/** The hub that the options, BERTH_HUB or the last login name. @throws {CliError} usage */
export async function hubOrigin({ env, options }: Session): Promise<string> {
  const named = options.hub ?? (env['BERTH_HUB'] || undefined) ?? (await readSettings(env)).current;
  if (named === undefined) throw usage('Say which hub: berth login HUB, or --hub, or BERTH_HUB');
  return originOf(named);
}

/** The hub of the reference, with the credentials that are kept for it. */
export async function openHub(session: Session, reference?: Pick<Reference, 'origin'>): Promise<Hub> {
  const origin = reference?.origin ?? (await hubOrigin(session));
  return connect(session, origin, await credentialsFor(session, origin));
}

export function connect({ options, output }: Session, origin: string, credentials?: Credentials): Hub {
  const { retries } = options;
  return new Hub({
    origin,
    ...(credentials && { authorization: basic(credentials) }),
    retries,
    say: (line) => output.note(line),
  });
}

/** BERTH_TOKEN goes to the hub that was chosen, and to no other that a URL may name. */
export async function credentialsFor(session: Session, origin: string): Promise<Credentials | undefined> {
  const token = session.env['BERTH_TOKEN'];
  if (token) {
    const chosen = await hubOrigin(session).catch(() => undefined);
    if (chosen === origin) return { username: session.env['BERTH_USER'] || '<token>', secret: token.trim() };
  }
  return findCredentials(session.env, origin);
}
