import type { Target } from '../target.ts';
import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';

export interface Cosign extends Client {
  sign(reference: string, ...flags: string[]): Promise<string>;
  verify(reference: string, ...flags: string[]): Promise<string>;
}

/** cosign with a key pair of its own, and without the public transparency log. */
export async function makeCosign(workspace: Workspace, hub: Target): Promise<Cosign> {
  const home = await workspace.folder('cosign');
  const options = { env: { DOCKER_CONFIG: home, COSIGN_PASSWORD: 'only for this test' }, cwd: home };
  const cosign = runner('cosign', [], options);
  const login = loginBy('cosign', [], options);
  await cosign('generate-key-pair');
  await login(hub);
  const offline = ['--use-signing-config=false', '--tlog-upload=false', '--allow-http-registry', '--yes'];
  return {
    run: cosign,
    login,
    sign: (reference, ...flags) => cosign('sign', '--key=cosign.key', ...offline, ...flags, reference),
    verify: (reference, ...flags) =>
      cosign('verify', '--key=cosign.pub', '--insecure-ignore-tlog', '--allow-http-registry', ...flags, reference),
  };
}
