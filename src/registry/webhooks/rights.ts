/**
 * What a hook may be told: what its owner may see right now, asked at the gate like any request of that principal, when a message is
 * made and again each time that it is sent.
 */
import type { Action, Limits, Principal, Verdict } from '../../auth/principal.ts';
import type { OwnerRow } from '../queries/webhooks.ts';
import { targetOf } from '../scene.ts';
import type { WebhookParts } from './parts.ts';

/** `whole`: what an owner of the project finds in its audit trail. `content`: what concerns who may pull. */
export type View = 'whole' | 'content';

export const WITHHELD = {
  'owner-gone': 'The account that the webhook belongs to is gone; whoever changes the webhook takes it over.',
  'owner-disabled': 'The account that the webhook belongs to is disabled or has expired.',
  'not-administrator': 'A webhook of the hub needs an owner who is an administrator.',
  'no-right': 'The account that the webhook belongs to may not see what this is about.',
} as const;
export type Withheld = keyof typeof WITHHELD;

export interface HookOwner {
  /** Null: a hook of the hub. */
  readonly projectId: number | null;
  readonly owner: OwnerRow | undefined;
  readonly limits: { readonly actions: readonly string[]; readonly paths?: readonly string[] } | null;
}

export interface Subject {
  /** Null: something of the hub's own. */
  readonly project: string | null;
  readonly repository: string | null;
}

export async function viewOf(
  { registry: { gate, scenes } }: Pick<WebhookParts, 'registry'>,
  hook: HookOwner,
  { project, repository }: Subject,
): Promise<{ readonly view: View } | { readonly withheld: Withheld }> {
  const { owner } = hook;
  if (owner === undefined) return { withheld: 'owner-gone' };
  const principal = asPrincipal(owner, hook.limits);
  const ask = async (action: Action, path: string): Promise<Verdict> => {
    const scene = await scenes.resolve({ path, principalId: owner.id });
    // Another project of the same name, or one that the repository has moved to, is not what the hook is about.
    if (hook.projectId !== null && scene.project?.id !== hook.projectId) return NO;
    return gate.decide(principal, action, targetOf(scene));
  };
  if (hook.projectId === null) {
    const { principalEpoch } = await scenes.resolve({ path: '', principalId: owner.id });
    if (principalEpoch === 0) return { withheld: 'owner-disabled' };
    if (!owner.admin) return { withheld: 'not-administrator' };
    // Who is no administrator of the hub with this credential was not let in to make the hook.
    if (project === null) return { view: 'whole' };
  }
  if (project === null) return { withheld: 'no-right' };
  const administers = await ask('admin', project);
  if (administers.stale === true) return { withheld: 'owner-disabled' };
  const whole = administers.effect !== 'deny';
  if (repository === null) return whole ? { view: 'whole' } : { withheld: 'no-right' };
  if ((await ask('pull', repository)).effect === 'deny') return { withheld: 'no-right' };
  return { view: whole ? 'whole' : 'content' };
}

const NO: Verdict = { effect: 'deny', reason: 'not in the project of the webhook', warnings: [] };

/** With all that it has, as if it had just signed in: only who is disabled or over is stale. */
function asPrincipal(owner: OwnerRow, limits: HookOwner['limits']): Principal {
  return {
    kind: owner.kind,
    id: owner.id,
    name: owner.name,
    admin: owner.admin,
    epoch: Infinity,
    credential: 'password',
    ...(limits && { limits: limits as Limits }),
  };
}
