/** /projects/:project/charts: what is in charts. `:chart` is the path inside the project, with %2F for its slashes. */
import type { Action, Gate, Principal, Target } from '../auth/principal.ts';
import type { Database } from '../db/database.ts';
import { noteDecision } from '../jobs/origin.ts';
import { diffVersions } from '../registry/charts/diff.ts';
import { findSummary, findTemplates, findText, type TextKind } from '../registry/charts/extract.ts';
import { listCharts } from '../registry/charts/listing.ts';
import {
  findChart,
  listVersions,
  resolveChartVersion,
  type ChartRepository,
  type ChartVersion,
} from '../registry/charts/versions-of.ts';
import { changeYank } from '../registry/charts/yank.ts';
import { parseRepositoryPath } from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { movedRefusal } from '../registry/repositories.ts';
import { targetOf } from '../registry/scene.ts';
import { CONTENT_LOCATION, define, type ApiRoute } from './call.ts';
import * as shapes from './chart-shapes.ts';
import { onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound, Problem } from './problems.ts';
import { unauthenticated } from './translate.ts';
import { projectId } from './project-routes.ts';
import { visiblePage } from './visible.ts';

const CHART = '/projects/:project/charts/:chart';
const VERSION = `${CHART}/versions/:version`;

interface Asked {
  readonly params: Readonly<Record<string, string>>;
  readonly principal: Principal;
  readonly target: Target;
}

export function chartRoutes(db: Database, gate: Gate, registry: Registry): ApiRoute[] {
  /** The chart, if the caller may do that to it; else the answer of one that does not exist. */
  async function chartOf({ params, principal }: Asked, action: Action = 'pull'): Promise<ChartRepository> {
    const path = parseRepositoryPath(`${params['project']}/${params['chart']}`);
    const scene = path && (await registry.scenes.resolve({ path, principalId: principal.id }));
    if (scene === undefined) throw notFound();
    const may = async (what: Action): Promise<boolean> => {
      const { effect, reason } = await gate.decide(principal, what, targetOf(scene));
      noteDecision(effect === 'deny' ? 'deny' : 'allow', reason);
      return effect !== 'deny';
    };
    if (!(await may('pull'))) throw notFound();
    const chart = scene.repository && (await findChart(db, scene.repository.id));
    if (!chart) throw notFound();
    if (action !== 'pull' && scene.askedPath !== undefined) throw movedRefusal(scene);
    if (action !== 'pull' && !(await may(action))) {
      if (principal.kind === 'anonymous') throw unauthenticated('Send Basic credentials or a personal token.');
      throw new Problem('forbidden', `This needs the right to ${action} here; ask an owner of the project.`);
    }
    return chart;
  }

  async function versionOf(asked: Asked): Promise<ChartVersion & { location: string | undefined }> {
    const { project = '', chart = '', version = '' } = asked.params;
    const found = await resolveChartVersion(db, await chartOf(asked), version);
    if (!found) throw notFound();
    const location = `/api/v1/projects/${project}/charts/${encodeURIComponent(chart)}/versions/${encodeURIComponent(found.version)}`;
    return { ...found, location: found.version === version ? undefined : location };
  }

  /** With the address of what `latest` or a range came to. */
  function located<T extends object>(version: { location: string | undefined }, rest: string, answer: T): T {
    return version.location === undefined ? answer : { ...answer, [CONTENT_LOCATION]: version.location + rest };
  }

  const textRoute = (kind: TextKind, summary: string): ApiRoute =>
    define('GET', `${VERSION}/${kind}`, {
      id: `chart-${kind}`,
      policy: onProject('see'),
      summary,
      answer: shapes.chartText,
      run: async (asked) => {
        const version = await versionOf(asked);
        const text = await findText(db, version.content, kind);
        if (text === undefined) throw notFound();
        return located(version, `/${kind}`, { version: version.version, text });
      },
    });

  return [
    define('GET', '/projects/:project/charts', {
      id: 'charts',
      policy: onProject('see'),
      summary: 'The charts of a project that you may pull, by path',
      query: pageQuery,
      answer: pageOf(shapes.chart),
      run: async ({ principal, target, query: { limit, cursor } }) => {
        const rows = await visiblePage({
          after: decodeCursor(cursor),
          limit,
          read: (after, size) => listCharts(db, projectId(target), { after, limit: size }),
          keyOf: (row) => row.path,
          sees: async (row) => (await gate.decide(principal, 'pull', { ...target, path: row.path })).effect !== 'deny',
        });
        return page(rows, limit, (row) => row.path, shapes.showChart);
      },
    }),
    define('GET', `${CHART}/versions`, {
      id: 'chart-versions',
      policy: onProject('see'),
      summary: 'The versions of a chart, newest first, yanked ones too',
      query: pageQuery,
      answer: pageOf(shapes.chartVersion),
      run: async ({ query: { limit, cursor }, ...asked }) => {
        const after = decodeCursor(cursor);
        const rows = await listVersions(db, await chartOf(asked), { after, limit: limit + 1 });
        return page(rows, limit, (row) => row.version, shapes.showVersion);
      },
    }),
    define('GET', VERSION, {
      id: 'chart-version',
      policy: onProject('see'),
      summary: 'One version: itself, `latest`, or the newest in a range such as ^1.2',
      answer: shapes.chartDetails,
      run: async (asked) => {
        const version = await versionOf(asked);
        const summary = await findSummary(db, version.content);
        return located(version, '', shapes.showDetails(version, summary && 'entry' in summary ? summary : undefined));
      },
    }),
    textRoute('readme', 'Its README'),
    textRoute('values', 'Its values.yaml, with comments'),
    textRoute('schema', 'Its values.schema.json'),
    define('GET', `${VERSION}/templates`, {
      id: 'chart-templates',
      policy: onProject('see'),
      summary: 'Its templates and CRDs',
      answer: shapes.chartTemplates,
      run: async (asked) => {
        const version = await versionOf(asked);
        const files = await findTemplates(db, version.content);
        return located(version, '/templates', shapes.showTemplates(version.version, files));
      },
    }),
    define('GET', `${VERSION}/dependencies`, {
      id: 'chart-dependencies',
      policy: onProject('see'),
      summary: 'What it depends on, and what is pinned',
      answer: shapes.chartDependencies,
      run: async (asked) => {
        const version = await versionOf(asked);
        const summary = await findSummary(db, version.content);
        return located(version, '/dependencies', {
          version: version.version,
          dependencies: (version.metadata.dependencies ?? []).map((each) => ({ ...each })),
          locked: summary && 'locked' in summary ? [...summary.locked] : [],
        });
      },
    }),
    define('GET', `${VERSION}/diff`, {
      id: 'chart-diff',
      policy: onProject('see'),
      summary: 'What changed since another version: values, templates, dependencies',
      query: shapes.diffQuery,
      answer: shapes.chartDiff,
      run: async ({ query: { from }, ...asked }) => {
        const to = await versionOf(asked);
        const before = await versionOf({ ...asked, params: { ...asked.params, version: from } });
        return located(to, '/diff', shapes.showDiff(before, to, await diffVersions(db, before, to)));
      },
    }),
    define('PUT', `${VERSION}/yank`, {
      id: 'chart-yank',
      policy: onProject('see'),
      summary: 'Hide a version from index.yaml; who has pinned it still gets it',
      body: shapes.yank,
      run: async ({ body: { reason }, actor, ...asked }) => {
        const repository = await chartOf(asked, 'delete');
        await changeYank(db, { repository, version: await exactly(repository, asked), actor, reason });
      },
    }),
    define('DELETE', `${VERSION}/yank`, {
      id: 'chart-unyank',
      policy: onProject('see'),
      summary: 'Show a yanked version again',
      run: async ({ actor, ...asked }) => {
        const repository = await chartOf(asked, 'delete');
        await changeYank(db, { repository, version: await exactly(repository, asked), actor, reason: undefined });
      },
    }),
  ];

  /** What changes something names one version; a range would change what nobody looked at. */
  async function exactly(repository: ChartRepository, { params: { version = '' } }: Asked): Promise<ChartVersion> {
    const found = await resolveChartVersion(db, repository, version);
    if (found?.version !== version) throw notFound();
    return found;
  }
}
