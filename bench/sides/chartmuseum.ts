/** ChartMuseum on a folder of charts, with and without its faster settings. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { end, freePort, launch, type Side } from './side.ts';

export async function startChartMuseum(program: string, folder: string, storage: string, json: boolean): Promise<Side> {
  const name = json ? 'chartmuseum-json' : 'chartmuseum';
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const args = ['--storage', 'local', '--storage-local-rootdir', storage, '--listen-host', '127.0.0.1'];
  // Besides JSON: the index is brought up to date after each upload, not by looking through the folder at each request.
  const faster = json ? ['--json-index', '--cache-interval', '5m'] : [];
  const child = await launch(
    {
      name,
      command: program,
      args: [...args, '--port', String(port), '--allow-overwrite', ...faster],
      logFile: path.join(folder, `${name}.log`),
    },
    origin,
    '/health',
  );
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
  return { target: { name, origin, pids: [child.pid!] }, version, stop: () => end(child) };
}
