import type { Target } from '../acceptance/target.ts';
import type { Tally } from './reports.ts';

/** One run of one suite: which program, told what, and what its counts must be. */
export interface Suite {
  name: string;
  program: string;
  environment(hub: Target, reports: string): Record<string, string>;
  passes(tally: Tally): boolean;
}

/** Every suite works in repositories of this project, which lets indexes name manifests that were never pushed. */
export const project = 'conformance';

/** The specification's suite as release 1.1.1 carried it: what published results are measured with. */
const release111: Suite = {
  name: 'v1.1.1',
  program: 'oci-conformance-1.1.1',
  environment: (hub, reports) => ({
    OCI_ROOT_URL: hub.url,
    OCI_NAMESPACE: `${project}/release/one`,
    OCI_CROSSMOUNT_NAMESPACE: `${project}/release/two`,
    OCI_AUTOMATIC_CROSSMOUNT: '1',
    OCI_USERNAME: hub.user,
    OCI_PASSWORD: hub.password,
    OCI_TEST_PULL: '1',
    OCI_TEST_PUSH: '1',
    OCI_TEST_CONTENT_DISCOVERY: '1',
    OCI_TEST_CONTENT_MANAGEMENT: '1',
    // A blob that a manifest needs cannot be deleted, so manifests go first.
    OCI_DELETE_MANIFEST_BEFORE_BLOBS: '1',
    OCI_HIDE_SKIPPED_WORKFLOWS: '0',
    OCI_REPORT_DIR: reports,
  }),
  passes: (tally) => tally.passed > 0 && tally.failed === 0,
};

/** The suite as it was written anew after 1.1.1, with several times the cases. */
function rewritten(version: string, more: Record<string, string>, passes: Suite['passes']): Suite {
  return {
    name: version,
    program: 'oci-conformance',
    environment: (hub, reports) => ({
      OCI_VERSION: version,
      OCI_REGISTRY: hub.host,
      OCI_TLS: hub.url.startsWith('https:') ? 'enabled' : 'disabled',
      OCI_REPO1: `${project}/${version}/one`,
      OCI_REPO2: `${project}/${version}/two`,
      OCI_USERNAME: hub.user,
      OCI_PASSWORD: hub.password,
      OCI_RESULTS_DIR: reports,
      ...more,
    }),
    passes,
  };
}

export const suites: readonly Suite[] = [
  release111,
  // At 1.1 the suite itself turns off what only the development version of the specification has.
  rewritten('1.1', {}, (tally) => isClean(tally, (complaint) => complaint.startsWith('disabled: '))),
  rewritten('dev', { OCI_DATA_SPARSE: 'true' }, (tally) => tally.disabled === 0 && isClean(tally, () => false)),
];

/** Nothing failed, nothing was skipped, and every capability was seen to work. */
function isClean(tally: Tally, mayBe: (complaint: string) => boolean): boolean {
  return tally.passed > 0 && tally.failed + tally.skipped === 0 && tally.complaints.every(mayBe);
}
