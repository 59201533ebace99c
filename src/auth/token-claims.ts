/**
 * What a registry token says, read strictly. Such tokens are signed by the hub itself, so what does not fit comes from another
 * version of it and is refused. By hand: every worker reads them, and a library for shapes takes 4 MB in each.
 */
import type { JWTPayload } from 'jose';
import { InvalidCredentials } from './errors.ts';
import type { Action, Limits, Principal } from './principal.ts';

/** One entry of the claim `access`, as the token specification writes it. */
export interface AccessEntry {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  readonly actions: readonly string[];
}

export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly exp: number;
  /** Principal: kind, row, epoch, administrator. */
  readonly kind: Principal['kind'];
  readonly pid: number;
  readonly epoch: number;
  readonly admin: boolean;
  /** The token or session that it was exchanged for. */
  readonly cid?: number;
  readonly access: readonly AccessEntry[];
  /** Of the credential that it was exchanged for. */
  readonly limits?: Limits;
}

const KINDS = ['anonymous', 'user', 'robot', 'team', 'trust_rule', 'ci_session', 'run'] as const;
export const ACTIONS = ['pull', 'push', 'delete', 'admin'] as const;

type Fields = Readonly<Record<string, unknown>>;

/** @throws {InvalidCredentials} naming the claim that is not what it should be */
export function readClaims(payload: JWTPayload): Claims {
  const fields: Fields = payload;
  const cid = fields['cid'];
  const limits = fields['limits'];
  whole('iat', fields['iat']);
  return {
    iss: text('iss', fields['iss']),
    aud: text('aud', fields['aud']),
    sub: text('sub', fields['sub']),
    exp: whole('exp', fields['exp']),
    kind: oneOf('kind', KINDS, fields['kind']),
    pid: whole('pid', fields['pid'], 0),
    epoch: whole('epoch', fields['epoch'], 0),
    admin: truth('admin', fields['admin']),
    ...('cid' in fields && { cid: whole('cid', cid, 1) }),
    access: list('access', fields['access']).map(readEntry),
    ...('limits' in fields && { limits: readLimits(object('limits', limits)) }),
  };
}

function readEntry(value: unknown): AccessEntry {
  const entry = object('access', value);
  return {
    type: oneOf('access', ['repository', 'registry'], entry['type']),
    name: text('access', entry['name']),
    actions: texts('access', entry['actions']),
  };
}

function readLimits(limits: Fields): Limits {
  const actions: Action[] = list('limits', limits['actions']).map((action) => oneOf('limits', ACTIONS, action));
  return { actions, ...('paths' in limits && { paths: texts('limits', limits['paths']) }) };
}

function text(claim: string, value: unknown): string {
  return typeof value === 'string' ? value : refuse(claim);
}

function truth(claim: string, value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse(claim);
}

function whole(claim: string, value: unknown, least = Number.MIN_SAFE_INTEGER): number {
  return Number.isSafeInteger(value) && (value as number) >= least ? (value as number) : refuse(claim);
}

function oneOf<Word extends string>(claim: string, words: readonly Word[], value: unknown): Word {
  return words.find((word) => word === value) ?? refuse(claim);
}

function list(claim: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(claim);
}

function texts(claim: string, value: unknown): readonly string[] {
  return list(claim, value).map((one) => text(claim, one));
}

function object(claim: string, value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : refuse(claim);
}

function refuse(claim: string): never {
  throw new InvalidCredentials(new TypeError(`The claim ${claim} is not what this version writes`));
}
