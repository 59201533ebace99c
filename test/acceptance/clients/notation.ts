import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from '../target.ts';
import type { Workspace } from '../workspace.ts';
import { type Client, runner } from './client.ts';

const trustPolicy = {
  version: '1.0',
  trustPolicies: [
    {
      name: 'acceptance',
      registryScopes: ['*'],
      signatureVerification: { level: 'strict' },
      trustStores: ['ca:berth.test'],
      trustedIdentities: ['*'],
    },
  ],
};

/** notation with a certificate of its own. It logs in only through a desktop keychain, hence the variables. */
export async function makeNotation(workspace: Workspace, hub: Target): Promise<Client['run']> {
  const home = await workspace.folder('notation-home');
  const notation = runner('notation', [], {
    env: { XDG_CONFIG_HOME: home, NOTATION_USERNAME: hub.user, NOTATION_PASSWORD: hub.password },
  });
  await notation('cert', 'generate-test', '--default', 'berth.test');
  await writeFile(join(home, 'notation', 'trustpolicy.json'), JSON.stringify(trustPolicy));
  return notation;
}
