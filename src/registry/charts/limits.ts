/** How much one chart may be (promise P11). Helm's own are 100 MiB unpacked and, in version 3, 5 MiB for a file. */

const MIB = 2 ** 20;

/** The job that reads charts which are too large to be read while somebody waits. */
export const READ_CHART = 'read-chart';

export const CHART_LIMITS = {
  /** Of the archive. The largest public charts have 1 MiB. */
  compressed: 20 * MIB,
  /** Charts that a process reads at once, and that may wait for it. */
  readers: 2,
  waitingReaders: 64,
  /** Of archives whose upload is under way, in one process. */
  uploads: 128 * MIB,
  /** Archives up to this are read while the client waits for its push, larger ones by a job. */
  readAtOnce: 4 * MIB,
  /** Of a provenance file: Chart.yaml, a digest and a signature. */
  provenance: MIB,
  unpacked: 100 * MIB,
  /** Unpacked over packed, from `ratioFrom` unpacked bytes on: text packs up to thirty times, a bomb a thousand times. */
  ratio: 200,
  ratioFrom: 10 * MIB,
  /** Helm 3 refuses larger ones. */
  file: 5 * MIB,
  entries: 10_000,
  /** Of contents, in memory while the chart is read. */
  kept: 32 * MIB,
  pathLength: 512,
  pathDepth: 32,
  /** Archives inside archives: `charts/*.tgz`. */
  nesting: 8,
  /** Of one YAML file, and of all of a chart together, as far as they are parsed. */
  yaml: MIB,
  allYaml: 4 * MIB,
  /** Of one as JSON: there every alias is written out, and a few hundred bytes may stand for a hundred megabytes. */
  json: 8 * MIB,
  /** Of Chart.yaml as JSON: every index repeats it. */
  entry: 128 * 1024,
  /** Text that is kept for people to read: of one file, and of all templates and CRDs together. */
  text: MIB,
  allText: 8 * MIB,
} as const;
