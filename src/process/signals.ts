/** Ctrl-C and SIGTERM: the first asks the hub to end, a second one insists. */

export interface Signals {
  /** Settles with the first signal. */
  readonly first: Promise<NodeJS.Signals>;
  /** Settles with a second one. */
  readonly second: Promise<NodeJS.Signals>;
}

/** npm passes on the Ctrl-C that a terminal has already sent to everyone, so one press arrives twice. */
const SAME_PRESS_MS = 500;

export function listenForSignals(): Signals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  let at: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (at === undefined) {
        at = performance.now();
        first.resolve(signal);
      } else if (performance.now() - at > SAME_PRESS_MS) {
        second.resolve(signal);
      }
    });
  }
  return { first: first.promise, second: second.promise };
}
