/** After packing the map of the sources is back: see prepack.mjs. */
import { existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
if (existsSync(join(here, '.map.md'))) renameSync(join(here, '.map.md'), join(here, 'README.md'));
