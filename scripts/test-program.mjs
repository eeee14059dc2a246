/**
 * Bundles the `cryolift` command for the tests of `npm test`, which start it thousands of times: Node loads these few
 * files in half the time of the sources. `CRYOLIFT_TEST_PROGRAM` names it to them; without it they run the sources.
 */
import { globSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { refuseWarnings } from './one-file/bundle.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** As deep in `packages/server` as the module that looks for `dist/page` from where it is. */
const FOLDER = join(ROOT, 'packages/server/dist/tests/program');
/** Sources that run in a thread or process of their own: they are found beside the module that starts them. */
const STARTED = /new URL\('(\.\/[\w-]+\.ts)', import\.meta\.url\)/g;
/** They load native modules, or files that lie beside them. */
const NOT_BUNDLED = ['ssh2', '@fastify/swagger', '@fastify/swagger-ui'];

/** @returns the path of the command. */
export async function bundleProgram() {
  const started = Object.fromEntries(findStarted().map((path) => [basename(path, '.ts'), path]));
  const input = { cryolift: join(ROOT, 'packages/cli/bin/cryolift.js'), ...started };
  const build = await rolldown({ input, cwd: ROOT, platform: 'node', external: NOT_BUNDLED, onLog: refuseWarnings });
  const entryFileNames = ({ name }) => (name in started ? '[name].ts' : '[name].js');
  const { output } = await build.write({ dir: FOLDER, format: 'esm', entryFileNames });
  await build.close();
  // Those of earlier sources. The others stay in place all the time: another run may start them now.
  const made = new Set(output.map(({ fileName }) => fileName));
  for (const name of readdirSync(FOLDER)) if (!made.has(name)) rmSync(join(FOLDER, name));
  return join(FOLDER, 'cryolift.js');
}

function findStarted() {
  const sources = globSync('packages/server/src/**/*.ts', { cwd: ROOT }).filter((path) => !path.endsWith('.test.ts'));
  return sources.flatMap((path) =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(STARTED)].map(([, name]) => join(ROOT, dirname(path), name)),
  );
}
