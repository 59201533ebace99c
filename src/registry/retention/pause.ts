/** Long computations in slices, so that other requests are answered meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A slice lasts about this long. */
const SLICE_MS = 8;

/** Call it often; it waits a turn of the event loop when the slice is over. */
export type Pause = () => Promise<void> | undefined;

export function createPause(): Pause {
  let began = performance.now();
  return () => {
    if (performance.now() - began < SLICE_MS) return undefined;
    return nextTurn().then(() => {
      began = performance.now();
    });
  };
}
