/** The triggers of migrations/0017-quota.sql refuse with an SQLSTATE of their own; here it becomes a sentence. */
import { noteDecision } from '../../jobs/origin.ts';
import { Refusal } from '../refusal.ts';
import { bytesInWords } from './words.ts';

const QUOTA_EXCEEDED = 'BQ001';

/** What did not fit, as it was when that was decided; what is `null` has no limit. */
export interface NoRoom {
  readonly project: string;
  readonly max_bytes: number | null;
  readonly used: number;
  readonly reserved: number;
  readonly needed: number;
  readonly max_artifacts: number | null;
  readonly artifacts: number;
  readonly needed_artifacts: number;
}

/** For `openDatabase`: whatever statement or commit it came from, a full project is one and the same refusal. */
export function refusalOf(error: { readonly code?: unknown; readonly detail?: unknown }): Refusal | undefined {
  if (error.code !== QUOTA_EXCEEDED || typeof error.detail !== 'string') return undefined;
  const room = JSON.parse(error.detail) as NoRoom;
  return noRoom(room);
}

export function noRoom(room: NoRoom): Refusal {
  noteDecision('deny', 'the quota of the project');
  return new Refusal('QUOTA_EXCEEDED', sentence(room), room);
}

function sentence(room: NoRoom): string {
  const { project, max_bytes: max, used, reserved, needed } = room;
  const advice =
    'What is in the trash counts: have an owner delete what nobody needs and purge the trash, or ask an administrator of the hub for a higher limit';
  if (max !== null && needed > 0 && used + reserved + needed > max) {
    const flight = reserved > 0 ? `, ${bytesInWords(reserved)} are held by uploads in flight` : '';
    return `Project ${project} is full: its limit is ${bytesInWords(max)}, ${bytesInWords(used)} are used${flight}, and this needs ${bytesInWords(needed)}. ${advice}`;
  }
  return `Project ${project} is full: its limit is ${room.max_artifacts} artifacts, ${room.artifacts} are there, and this needs ${room.needed_artifacts} more. ${advice}`;
}
