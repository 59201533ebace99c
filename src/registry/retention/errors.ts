/** What retention refuses. */
export type RetentionProblem =
  /** A policy that says nothing, or cannot be understood. */
  | 'policy-invalid'
  /** The project has no policy. */
  | 'policy-missing'
  /** A run or its undoing is under way in the project. */
  | 'under-way'
  /** What was asked for is not there, or not in a state for it. */
  | 'run-unknown'
  | 'run-not-done';

export class RetentionError extends Error {
  override readonly name = 'RetentionError';
  readonly problem: RetentionProblem;
  constructor(problem: RetentionProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
