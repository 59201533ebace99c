import type { TestProject } from 'vitest/node';
import { openTarget, type Target } from './target.ts';

declare module 'vitest' {
  interface ProvidedContext {
    hub: Target;
  }
}

/** One hub for every client, as in a company: each test file works in a project of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, ...target } = await openTarget();
  project.provide('hub', target);
  return stop;
}
