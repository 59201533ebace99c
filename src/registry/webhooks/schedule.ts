/** What an attempt comes to: when the next one is, or that there is none. */

/** Seconds after the first attempt, the second … (Standard Webhooks, "Deliverability and reliability"): three days in all. */
const PAUSES = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/** What will hardly be otherwise later gets this many: a receiver that is being set up right now does not miss its first messages. */
const FEW = 3;
/** As far as a receiver that asks to be left alone is listened to. */
const LONGEST_PAUSE = 3_600;
/** A hook that has only failed for so long is disabled. */
export const FAILING_DAYS = 5;

export interface Outcome {
  /** Undefined: there was no answer. */
  readonly status?: number;
  readonly retryAfter?: string | undefined;
  /** It was not even asked. */
  readonly refused?: boolean;
}

export interface Judgement {
  readonly state: 'delivered' | 'pending' | 'failed';
  /** Until the next attempt. */
  readonly waitSeconds: number;
  /** The receiver asked that the hook be quiet for so long. */
  readonly pauseSeconds: number;
  /** The receiver says that there will never be anybody again. */
  readonly gone: boolean;
}

/** @param attempt the how-manieth it was; 1 for the first */
export function judge(outcome: Outcome, attempt: number, random: () => number = Math.random): Judgement {
  const { status } = outcome;
  if (status !== undefined && status >= 200 && status < 300) {
    return { state: 'delivered', waitSeconds: 0, pauseSeconds: 0, gone: false };
  }
  const pauseSeconds = status === 429 || status === 503 ? secondsOf(outcome.retryAfter) : 0;
  const most = mayPass(outcome) ? PAUSES.length + 1 : FEW;
  const pause = PAUSES[attempt - 1];
  if (status === 410 || attempt >= most || pause === undefined) {
    return { state: 'failed', waitSeconds: 0, pauseSeconds, gone: status === 410 };
  }
  // Up to a fifth more, so that what failed together does not come back together.
  const waitSeconds = Math.max(pause * (1 + random() * 0.2), pauseSeconds);
  return { state: 'pending', waitSeconds, pauseSeconds, gone: false };
}

/** Whether it looks like something that passes by itself. */
function mayPass({ status, refused }: Outcome): boolean {
  if (refused === true) return false;
  return status === undefined || status >= 500 || status === 408 || status === 425 || status === 429;
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function secondsOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), LONGEST_PAUSE) : 0;
}
