/** What can be wrong with a change to a webhook; the message is a sentence for the person who asked. */
export type WebhookProblem =
  | 'url-refused'
  | 'filter-invalid'
  | 'trust-needed'
  | 'owner-unfit'
  | 'not-found'
  | 'too-many'
  | 'disabled';

export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  readonly problem: WebhookProblem;
  constructor(problem: WebhookProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
