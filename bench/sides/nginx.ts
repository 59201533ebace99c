/**
 * nginx as the limit for files: WebDAV PUT and static GET, as the distribution's package has them. It hashes nothing, checks no
 * rights, and does not wait for the disk.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { end, freePort, launch, type Side } from './side.ts';

export const NGINX_MISSING = 'nginx is not measured: not found (Debian and Ubuntu: apt-get install nginx-light)';

export function findNginx(env: NodeJS.ProcessEnv): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(path.delimiter), '/usr/sbin'];
  return folders.map((folder) => path.join(folder, 'nginx')).find((file) => fs.existsSync(file));
}

/** Two workers, as Berth has on two cores; sendfile, no access log, bodies written where they stay. */
function config(port: number, home: string): string {
  const at = (name: string): string => path.join(home, name);
  return `
worker_processes 2;
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${at('pid')};
error_log ${at('error.log')} error;
events { worker_connections 512; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_max_body_size 0;
  client_body_temp_path ${at('body')};
  proxy_temp_path ${at('proxy')};
  fastcgi_temp_path ${at('fastcgi')};
  uwsgi_temp_path ${at('uwsgi')};
  scgi_temp_path ${at('scgi')};
  server {
    listen 127.0.0.1:${port};
    root ${at('data')};
    location = /v2/ { return 200; }
    location / { dav_methods PUT DELETE; create_full_put_path on; dav_access user:rw; }
  }
}
`;
}

export async function startNginx(program: string, folder: string): Promise<Side> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const home = path.join(folder, 'nginx');
  fs.mkdirSync(path.join(home, 'data'), { recursive: true });
  const file = path.join(home, 'nginx.conf');
  fs.writeFileSync(file, config(port, home));
  const logFile = path.join(folder, 'nginx.log');
  const child = await launch({ name: 'nginx', command: program, args: ['-c', file, '-e', logFile], logFile }, origin);
  // The version goes to standard error.
  const version = execFileSync('sh', ['-c', '"$0" -v 2>&1', program], { encoding: 'utf8' }).trim();
  return { target: { name: 'nginx', origin, pids: [child.pid!] }, version, stop: () => end(child) };
}
