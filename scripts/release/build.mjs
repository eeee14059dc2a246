/** Builds everything that a release consists of. */
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SUMS, sha256Of, writeSums } from '../one-file/sums.mjs';
import { git } from './checkout.mjs';

/**
 * Into `folder`, from the checkout `root`: one-file programs, archives of the server, packages for npm, lists of contents,
 * licences and SHA256SUMS.
 *
 * @param only the platform to build for; null: all.
 * @returns the digests by name.
 */
export async function buildRelease(root, folder, only) {
  mkdirSync(folder, { recursive: true });
  const where = ['--folder', folder, ...(only === null ? [] : ['--only', only])];
  run(root, process.execPath, 'scripts/one-file/main.mjs', ...where);
  run(root, process.execPath, 'scripts/server-package/main.mjs', ...where);
  run(root, process.execPath, 'scripts/build-packages.mjs');
  const packages = globSync('packages/*/dist/package.json', { cwd: root }).sort();
  const folders = packages.filter((path) => !path.includes('server')).map((path) => `./${path.slice(0, -13)}`);
  run(root, 'npm', 'pack', ...folders, '--silent', '--pack-destination', folder);
  const sums = {};
  for (const name of readdirSync(folder).filter((each) => each !== SUMS))
    sums[name] = await sha256Of(join(folder, name));
  writeSums(folder, sums);
  return sums;
}

/**
 * Builds the same commit in a clone elsewhere. @param modules the packages to use; null: npm installs them.
 *
 * @returns the digests by name.
 */
export async function buildAgain(root, work, only, modules) {
  const clone = join(work, 'clone');
  git(root, 'clone', '--quiet', root, clone);
  if (modules === null) run(clone, process.execPath, 'scripts/setup.mjs');
  else if (spawnSync('cp', ['-al', modules, clone]).status !== 0) run(clone, 'cp', '-a', modules, clone);
  const sums = await buildRelease(clone, join(work, 'again'), only);
  rmSync(clone, { recursive: true });
  return sums;
}

/** @returns what differs between two builds, one line each. */
export function compareBuilds(first, second) {
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])].sort();
  return names
    .filter((name) => first[name] !== second[name])
    .map((name) => `a second build gives ${second[name] ?? 'no'} ${name}, the first ${first[name] ?? 'none'}`);
}

function run(root, command, ...args) {
  const PATH = join(root, 'node_modules/.bin') + delimiter + process.env.PATH;
  execFileSync(command, args, { cwd: root, env: { ...process.env, PATH }, stdio: ['ignore', 2, 2] });
}
