/** Roles, each with all that the one before may. */
import type { Action } from './principal.ts';

export type Role = 'reader' | 'writer' | 'maintainer' | 'owner';

export const ROLES = ['reader', 'writer', 'maintainer', 'owner'] as const satisfies readonly Role[];

const ALLOWS: Record<Role, readonly Action[]> = {
  reader: ['pull'],
  writer: ['pull', 'push'],
  maintainer: ['pull', 'push', 'delete'],
  owner: ['pull', 'push', 'delete', 'admin'],
};

export function roleAllows(role: Role, action: Action): boolean {
  return ALLOWS[role].includes(action);
}
