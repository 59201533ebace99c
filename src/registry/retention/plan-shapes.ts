/** What can become of a tag. */
export const UNCOVERED = 0;
/** A rule keeps it. */
export const KEPT = 1;
export const CONDEMNED = 2;
/** It goes with the subject that it stands for, and stays with it. */
export const FOLLOWS = 3;
/** It stands for a subject that is not here. */
export const NO_SUBJECT = 4;
export const IMMUTABLE = 5;
export const HELD = 6;
export const LEASED = 7;

export type TagFate =
  | typeof UNCOVERED
  | typeof KEPT
  | typeof CONDEMNED
  | typeof FOLLOWS
  | typeof NO_SUBJECT
  | typeof IMMUTABLE
  | typeof HELD
  | typeof LEASED;
