/** Charts as a company has them: many, with many versions, whose Chart.yaml says as much as an ordinary one does. */
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export interface Archive {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly bytes: Buffer;
}

export async function chartArchive(name: string, version: string): Promise<Archive> {
  const about = [
    ...['apiVersion: v2', `name: ${name}`, `version: ${version}`, 'appVersion: "7.4.1"', 'kubeVersion: ">=1.25.0-0"'],
    `description: Runs ${name} with its metrics, its network policy and a disruption budget on a cluster`,
    ...[`home: https://git.example/charts/${name}`, 'sources:', `  - https://git.example/charts/${name}`],
    ...['keywords: [web, service, metrics, internal]', 'icon: https://git.example/charts/icon.svg'],
    ...[
      'maintainers:',
      '  - name: Platform',
      '    email: platform@example.com',
      '    url: https://git.example/platform',
    ],
    ...['dependencies:', '  - name: common', '    version: 2.x.x', '    repository: oci://charts.example/library'],
    ...['annotations:', '  category: Infrastructure', '  licenses: Apache-2.0', ''],
  ];
  const files = {
    'Chart.yaml': about.join('\n'),
    'values.yaml': 'replicas: 2\nimage:\n  repository: registry.example/web\n  tag: ""\n',
    'templates/service.yaml': 'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n',
    'README.md': `# ${name}\n\nRuns it.\n`,
  };
  const tar = pack();
  for (const [file, content] of Object.entries(files)) tar.entry({ name: `${name}/${file}` }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return { name, version, file: `${name}-${version}.tgz`, bytes: gzipSync(Buffer.concat(chunks), { level: 1 }) };
}

/** Fills a folder, as a ChartMuseum stores them: `charts` charts with `versions` versions each. */
export async function writeCharts(folder: string, charts: number, versions: number): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  for (let chart = 0; chart < charts; chart += 1) {
    for (let version = 0; version < versions; version += 1) {
      const { file, bytes } = await chartArchive(`service-${String(chart).padStart(4, '0')}`, `1.${version}.0`);
      fs.writeFileSync(path.join(folder, file), bytes);
    }
  }
}
