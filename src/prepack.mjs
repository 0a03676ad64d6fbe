/**
 * What the package shows of the repository's own front page: README, licence and changes, copied here when it is packed. npm knows
 * no repository of ours to look links up in: one to a file of the package leads there, of any other only its words stay.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const top = join(here, '..');
const { files } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));

for (const file of ['LICENSE', 'CHANGELOG.md', 'notebooks/overview.svg'])
  copyFileSync(join(top, file), join(here, basename(file)));

/** @param {string} target */
function inPackage(target) {
  const path = target.startsWith('src/') ? target.slice(4) : basename(target);
  return (files.includes(path) || path === 'LICENSE') && existsSync(join(here, path)) ? path : undefined;
}

// The map of the sources makes room until the package is packed.
if (!existsSync(join(here, '.map.md'))) renameSync(join(here, 'README.md'), join(here, '.map.md'));

const readme = readFileSync(join(top, 'README.md'), 'utf8');
writeFileSync(
  join(here, 'README.md'),
  readme.replace(/(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)/g, (_, image, words, target) => {
    const path = inPackage(target);
    return path ? `${image}[${words}](${path})` : words;
  }),
);
