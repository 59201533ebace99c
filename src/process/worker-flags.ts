/**
 * V8's flags for workers: a small young generation, and an old one that is collected before it has grown far. Requests leave
 * little behind, so a collection finds little to keep. Compiled code is kept for one set of flags (`scripts/warm-up.mjs`).
 */
export const WORKER_FLAGS = ['--max-semi-space-size=2', '--initial-old-space-size=12', '--heap-growing-percent=20'];
