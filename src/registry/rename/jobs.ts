/** What the queue calls the work of renames, apart, so that a worker knows the names without what does the work. */

/** Lists what is a chart at the path that its repository has now. */
export const LIST_CHARTS_OF = 'list-charts-of';

/** Moves a repository to another project. */
export const MOVE_REPOSITORY = 'move-repository';
