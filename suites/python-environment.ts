/** Virtual environments of Python, in this checkout: made where they are missing and that can be done. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installByApt } from './apt.ts';
import { canInstall } from './program.ts';

const CACHE = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url));
const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];

/** The folder of the environment's programs. */
export type Environment = { readonly bin: string } | { readonly missing: string };

interface Wanted {
  /** Of the environment. */
  readonly name: string;
  /** Path of the list of packages, pinned. Another list is another environment. */
  readonly requirements: string;
  /** Of Python 3, at least. */
  readonly minor: number;
  /** What it is for. */
  readonly what: string;
  /** More arguments of `pip install`. */
  readonly args?: readonly string[];
}

export function bringEnvironment({ name, requirements, minor, what, args = [] }: Wanted): Environment {
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(CACHE, `cryolift-${name}-${version}`);
  const found = { bin: join(folder, 'bin') };
  const done = join(folder, 'complete');
  if (existsSync(done)) return found;
  const python = findPython(minor, what);
  if (python === null) return { missing: `there is no Python 3.${minor} or newer: install it, and run this again` };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', ...args];
  const failure =
    makeEnvironment(python, folder, what) ?? run(join(found.bin, 'python'), [...install, '-r', requirements]);
  if (failure !== null) return { missing: `the Python packages could not be installed: ${failure}` };
  writeFileSync(done, '');
  return found;
}

function findPython(minor: number, what: string): string | null {
  const isNewEnough = `import sys; sys.exit(sys.version_info < (3, ${minor}))`;
  const find = () => NAMES.find((name) => run(name, ['-c', isNewEnough]) === null) ?? null;
  const found = find();
  if (found !== null || !canInstall()) return found;
  installByApt(['python3', 'python3-venv'], what);
  return find();
}

/** Debian has what makes environments in a package of its own. */
function makeEnvironment(python: string, folder: string, what: string): string | null {
  const failure = run(python, ['-m', 'venv', folder]);
  if (failure === null || !canInstall()) return failure;
  installByApt(['python3-venv'], what);
  return run(python, ['-m', 'venv', '--clear', folder]);
}

/** @returns what went wrong, or null. */
function run(command: string, args: readonly string[]): string | null {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return null;
  return error ? error.message : `${stdout}${stderr}`.trim().slice(-1000);
}
