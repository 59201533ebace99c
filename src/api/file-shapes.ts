/** What the API takes and gives about files. */
import { z } from 'zod';

const time = z.iso.datetime();
const MONTH = 30 * 24 * 60 * 60;

const what = {
  repository: z.string().max(255).describe('Its whole path, such as acme/tools/cli.'),
  version: z.string().max(200).describe('A tag, or a digest: sha256:…'),
  path: z.string().max(1_024).describe('Of the file in the version, such as linux/cli.'),
};
const action = z.enum(['download', 'upload']);

export const share = z.object({
  id: z.string(),
  ...what,
  action,
  created_by: z.string(),
  created_at: time,
  expires_at: time,
});
export const createdShare = share.extend({
  url: z.string().describe('Opens the file to whoever has it. Shown this once.'),
});
export const newShare = z.strictObject({
  ...what,
  action: action.default('download'),
  expires_in_seconds: z
    .int()
    .min(60)
    .max(MONTH)
    .default(24 * 60 * 60)
    .describe('At most 30 days.'),
});

const properties = z.record(z.string(), z.string());
export const version = z.object({
  repository: z.string(),
  version: z.string(),
  digest: z.string().optional().describe('Of its manifest; absent while files arrive.'),
  final: z.boolean(),
  properties,
});
const property = z.string().min(1).max(1_200);
export const propertyQuery = z
  .union([property, z.array(property).max(20)])
  .optional()
  .describe('name=value, repeated for several: all have to hold.');
