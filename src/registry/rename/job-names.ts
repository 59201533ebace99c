/** What the jobs of renaming are called, apart from what they do, which is loaded when one runs. */

/** The job that moves a repository to another project. */
export const MOVE_REPOSITORY = 'move-repository';
/** The job that lists what is a chart at the path that its repository has now. */
export const LIST_CHARTS_OF = 'list-charts-of';
