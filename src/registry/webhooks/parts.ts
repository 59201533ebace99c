/** What the work on webhooks stands on. */
import type { Secrets } from '../../auth/secrets.ts';
import type { Outbound } from '../../http/outbound.ts';
import type { Registry } from '../registry.ts';

export interface WebhookParts {
  readonly registry: Pick<Registry, 'db' | 'gate' | 'scenes' | 'worker'>;
  readonly secrets: Secrets;
  readonly outbound: Outbound;
  /** The hub's public URL: who events come from. */
  readonly source: string;
}
