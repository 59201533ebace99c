export interface Mutation {
  /** What is forgotten. */
  readonly name: string;
  readonly file: string;
  /** Occurs exactly once. */
  readonly text: string;
  readonly by: string;
  /** The suite that is expected to notice; all the others follow when it does not. */
  readonly suite: string;
}

export const mutation = (name: string, file: string, text: string, by: string, suite: string): Mutation => ({
  name,
  file,
  text,
  by,
  suite,
});
