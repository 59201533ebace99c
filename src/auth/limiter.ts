/** Lets a few tasks run at once and a few more wait. */

export interface Limiter {
  /** Runs `task` when its turn comes. @throws whatever `refuse` makes, at once, when the queue is full */
  run<T>(task: () => Promise<T>): Promise<T>;
}

export function createLimiter(parallel: number, queue: number, refuse: () => Error): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(task) {
      if (running < parallel) {
        running++;
      } else {
        if (waiting.length >= queue) throw refuse();
        // The one who finishes hands its place over, so `running` stays as it is.
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      try {
        return await task();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
