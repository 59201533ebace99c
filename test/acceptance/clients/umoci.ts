import { runner } from './client.ts';

/** umoci works on layouts on disk and leaves registries to skopeo, so there is nothing to log in to. */
export const umoci = runner('umoci', [], {});
