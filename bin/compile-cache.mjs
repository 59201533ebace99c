// Compiled code is kept, so that start-up does not parse everything again, and TypeScript's types need not be stripped
// again either: without the machinery for that, each process is some 25 MB smaller.
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)));
