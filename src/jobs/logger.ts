import { Logger } from 'graphile-worker';

/** The queue's own chatter; failures of jobs are reported by `startJobs`. */
export const quietLogger = new Logger(() => () => {});
