/** The sources of the command line and all that they import, as one module. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = join(ROOT, 'packages/cli/src/one-file.ts');

/**
 * Writes the module to `file`.
 *
 * @returns the npm packages in it: their places in package-lock.json (`node_modules/NAME`), sorted.
 */
export async function bundle(file) {
  const build = await rolldown({ input: ENTRY, cwd: ROOT, platform: 'node', onLog: refuseWarnings });
  const { output } = await build.write({ file, format: 'esm', codeSplitting: false, comments: { legal: true } });
  await build.close();
  const places = output.flatMap(({ moduleIds = [] }) => moduleIds).flatMap(placeOf);
  return [...new Set(places)].sort();
}

/** A warning is most often an import that would be missing when the program runs. */
export function refuseWarnings(level, log) {
  if (level === 'warn') throw new Error(log.message);
}

function placeOf(id) {
  const path = relative(ROOT, id).split(sep);
  const begin = path.lastIndexOf('node_modules') + 1;
  if (begin === 0) return [];
  return [path.slice(0, begin + (path[begin]?.startsWith('@') ? 2 : 1)).join('/')];
}

/** The licence text of a package. @throws when it has none. */
export function licenseOf(place) {
  const folder = join(ROOT, place);
  const name = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (name === undefined) throw new Error(`${place} has no licence text`);
  return readFileSync(join(folder, name), 'utf8');
}
