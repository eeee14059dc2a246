/**
 * Python with openapi-python-client, in a virtual environment of this checkout. What is missing is installed; `npm test` runs
 * this file as a program first, because tests have less time.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installByApt } from '../apt.ts';
import { canInstall } from '../program.ts';

const REQUIREMENTS = fileURLToPath(new URL('python/requirements.txt', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
/** The generator needs 3.11. */
const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];
const IS_NEW_ENOUGH = 'import sys; sys.exit(sys.version_info < (3, 11))';
const WHAT = 'the client of Python';

/** The folder of the environment's programs. */
export type Environment = { readonly bin: string } | { readonly missing: string };

/** Another list of packages is another environment. */
function placeOf(): string {
  const version = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  return join(CACHE, `cryolift-python-${version}`);
}

/** Makes the environment where it is missing and that can be done. */
export function bringPython(): Environment {
  const folder = placeOf();
  const found = { bin: join(folder, 'bin') };
  const done = join(folder, 'complete');
  if (existsSync(done)) return found;
  const python = findPython();
  if (python === null) return { missing: 'there is no Python 3.11 or newer: install it, and run this again' };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const failure = makeEnvironment(python, folder) ?? run(join(found.bin, 'python'), PIP_ARGS);
  if (failure !== null) return { missing: `the Python packages could not be installed: ${failure}` };
  writeFileSync(done, '');
  return found;
}

const PIP_ARGS = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', REQUIREMENTS];

function findPython(): string | null {
  const find = () => NAMES.find((name) => run(name, ['-c', IS_NEW_ENOUGH]) === null) ?? null;
  const found = find();
  if (found !== null || !canInstall()) return found;
  installByApt(['python3', 'python3-venv'], WHAT);
  return find();
}

/** Debian has what makes environments in a package of its own. */
function makeEnvironment(python: string, folder: string): string | null {
  const failure = run(python, ['-m', 'venv', folder]);
  if (failure === null || !canInstall()) return failure;
  installByApt(['python3-venv'], WHAT);
  return run(python, ['-m', 'venv', '--clear', folder]);
}

/** @returns what went wrong, or null. */
function run(command: string, args: readonly string[]): string | null {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return null;
  return error ? error.message : `${stdout}${stderr}`.trim().slice(-1000);
}

if (import.meta.main) {
  const environment = bringPython();
  if ('missing' in environment) {
    console.log(`tests of the client of Python are skipped: ${environment.missing}`);
    if (canInstall()) process.exitCode = 1;
  }
}
