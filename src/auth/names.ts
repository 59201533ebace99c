/** Names of repositories and projects (OCI distribution-spec 1.1, "Pulling manifests": `<name>`) and of accounts. */

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
export const LONGEST_PATH = 255;
const LONGEST_PROJECT = 64;

/** First components that Berth's own routes use. */
const RESERVED: ReadonlySet<string> = new Set(['api', 'v2', 'auth', 'files', 'charts', 'cli', 'ui', 'assets']);

/** At most 255 characters, so that `host/name` stays a reference that clients accept. */
export function isRepositoryPath(path: string): boolean {
  return path.length <= LONGEST_PATH && path.split('/').every((component) => COMPONENT.test(component));
}

/** One component. */
export function isProjectName(name: string): boolean {
  return name.length <= LONGEST_PATH && COMPONENT.test(name);
}

/** The first component owns members, visibility and quota. */
export function projectOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

/** What is left of a repository's path inside its project; empty for the project itself. */
export function withinProject(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? '' : path.slice(slash + 1);
}

/**
 * Why a project of this name cannot be made, as a sentence, or undefined when it can. Names with a dot are kept for mirrors
 * of upstream registries.
 */
export function whyNotCreatable(project: string): string | undefined {
  if (project.length > LONGEST_PROJECT) return `A project's name has at most ${LONGEST_PROJECT} characters.`;
  if (!COMPONENT.test(project)) {
    return 'A project is named with lower-case letters and digits, with single separators - or _ between them.';
  }
  if (project.includes('.')) return 'Project names with a dot are reserved for mirrors of other registries.';
  if (RESERVED.has(project)) return `The name ${project} is reserved.`;
  return undefined;
}

/** For who may see what is called `path` now, and wanted to change it by its former name. */
export function movedSentence({ path, askedPath }: { readonly path: string; readonly askedPath?: string }): string {
  return `${askedPath} is called ${path} now; what reads the old name goes on, what writes has to use the new one`;
}

const ACCOUNT = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
/** Of principals that are not people. */
const NOT_PEOPLE = /^(?:everyone|anonymous|robot-.*)$/;

/** Safe in a shell, a URL and a Basic header: lower-case, no colon. */
export function isAccountName(name: string): boolean {
  return name.length <= 64 && ACCOUNT.test(name);
}

/** Whether a person may be called that. */
export function isUserName(name: string): boolean {
  return isAccountName(name) && !NOT_PEOPLE.test(name);
}

const ROBOT = /^[a-z0-9]+(?:[._][a-z0-9]+)*$/;

/** Within its project. Without a dash, so that `robot-<project>-<name>` is read in one way only. */
export function isRobotName(name: string): boolean {
  return name.length <= 32 && ROBOT.test(name);
}
