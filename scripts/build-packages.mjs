/**
 * `npm run build:packages`: makes, of each package that is published, what npm gets: `packages/NAME/dist`, with JavaScript,
 * types, source maps, a manifest, the README and the licence. `npm pack ./packages/mrc/dist` and `npm publish
 * ./packages/mrc/dist` take it from there. The workspace itself runs from the sources and never reads `dist`.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TSC = join(ROOT, 'node_modules/.bin/tsc');
/** Each after those that it depends on: their types are read from their `dist`. */
const PACKAGES = ['mrc', 'protocol', 'client'];
/** The oldest release of Node that runs what is built; `suites/packages` runs it there. */
const ENGINES = { node: '>=22' };
const FILES = ['**/*.js', '**/*.js.map', '**/*.d.ts'];

for (const name of PACKAGES) {
  const folder = join(ROOT, 'packages', name);
  const dist = join(folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  const { status } = spawnSync(TSC, ['-p', join(folder, 'tsconfig.build.json')], { stdio: 'inherit' });
  if (status !== 0) {
    // No half-built package is left to be packed.
    rmSync(dist, { recursive: true, force: true });
    throw new Error(`packages/${name} was not built`);
  }
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(toPublished(manifest, dist), null, 2)}\n`);
  copyFileSync(join(folder, 'README.md'), join(dist, 'README.md'));
  copyFileSync(join(ROOT, 'LICENSE'), join(dist, 'LICENSE'));
}

/** The manifest without what is for the workspace only, its exports turned from sources to what was built of them. */
function toPublished({ scripts, devDependencies, exports, dependencies, ...manifest }, dist) {
  const built = Object.entries(exports).flatMap(([path, source]) => {
    const target = source.replace(/^\.\/src\/(.*)\.ts$/, './$1');
    return path.includes('*')
      ? globSync(`${target}.js`, { cwd: dist }).sort().map(toModule)
      : [[path, toTargets(target)]];
  });
  return { ...manifest, engines: ENGINES, files: FILES, exports: Object.fromEntries(built), dependencies };
}

/** Subpaths are written out, so that `attw` and editors see each of them. */
function toModule(file) {
  const path = `./${file.replaceAll('\\', '/').replace(/\.js$/, '')}`;
  return [path, toTargets(path)];
}

function toTargets(path) {
  return { types: `${path}.d.ts`, default: `${path}.js` };
}
