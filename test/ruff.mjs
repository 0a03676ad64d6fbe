/** `ruff.mjs check` or `ruff.mjs format`: Ruff of the project's own Python on all Python of the repository. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ruff = join(
  root,
  '.venv',
  ...(process.platform === 'win32' ? ['Scripts', 'ruff.exe'] : ['bin', 'ruff']),
);
if (!existsSync(ruff)) {
  console.error('Ruff is not here yet: npm test makes .venv, which has it.');
  process.exit(1);
}
const runs =
  process.argv[2] === 'format' ? [['check', '--fix'], ['format']] : [['check'], ['format', '--check']];
for (const [command, ...options] of runs) {
  // Lines as long as TypeScript's; imports in order; names that shadow or are never used; simpler ways.
  const rules =
    command === 'check'
      ? ['--select', 'E4,E7,E9,F,I,B,UP,SIM', '--ignore', 'E402,UP031', '--target-version', 'py310']
      : [];
  const args = [command, ...options, ...rules, '--line-length', '120', '--quiet', 'src', 'test', 'notebooks'];
  const { status } = spawnSync(ruff, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
