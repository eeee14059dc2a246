/**
 * `npm run dist`: makes the `cryolift` command of the clients as one executable file for each system, with Node in it:
 *
 *   npm run dist -- [--only linux-x64]… [--folder dist]
 *
 * Beside the programs lie their digests (SHA256SUMS), what each is made of (NAME.cdx.json, CycloneDX) and the licences.
 * The same sources give the same bytes. Node for the other systems comes from npm; nothing of them is run here.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, licenseOf } from './bundle.mjs';
import { fetchNode, lockedNode } from './node-binary.mjs';
import { choosePlatforms, PLATFORMS } from './platforms.mjs';
import { makeSbom } from './sbom.mjs';
import { recordSums } from './sums.mjs';

const { values: options } = parseArgs({
  options: { only: { type: 'string', multiple: true }, folder: { type: 'string', default: 'dist' } },
});
const platforms = choosePlatforms(PLATFORMS, options.only);
const folder = resolve(options.folder);
const { version } = JSON.parse(readFileSync(new URL('../../packages/cli/package.json', import.meta.url), 'utf8'));

mkdirSync(folder, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'cryolift-dist-'));
try {
  const main = join(work, 'cryolift.mjs');
  const places = await bundle(main);
  recordSums(folder, Object.fromEntries(platforms.map((platform) => makeProgram(platform, main, places))));
  writeFileSync(join(folder, 'LICENSES.txt'), collectLicenses(places));
} finally {
  rmSync(work, { recursive: true });
}

/** @returns its name and its digest. */
function makeProgram(platform, main, places) {
  // Blobs must be prepared by the version of Node that they are put into.
  if (lockedNode(platform).version !== process.versions.node)
    throw new Error(`this is Node ${process.versions.node}, ${platform.package} is ${lockedNode(platform).version}`);
  const name = `cryolift-${platform.name}${platform.suffix}`;
  const draft = join(work, name);
  const config = {
    // The program contains this path.
    main: relative(work, main),
    mainFormat: 'module',
    executable: join(fetchNode(platform), 'bin', platform.node),
    output: draft,
    disableExperimentalSEAWarning: true,
    // Made for one processor and version of V8, and not the same twice.
    useCodeCache: false,
    // Institutions install their own certificate authorities in the system.
    execArgv: ['--use-system-ca'],
    // NODE_OPTIONS of another program on the machine is not for this one.
    execArgvExtension: 'none',
  };
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config));
  const stdio = ['ignore', 'ignore', 'inherit'];
  execFileSync(process.execPath, ['--build-sea', 'sea.json'], { cwd: work, stdio });
  const sha256 = createHash('sha256').update(readFileSync(draft)).digest('hex');
  const all = [...places, `node_modules/${platform.package}`];
  writeFileSync(join(folder, `${name}.cdx.json`), makeSbom({ name, version, sha256, places: all }));
  install(draft, join(folder, name));
  console.error(`${name}: ${(statSync(join(folder, name)).size / 1e6).toFixed(0)} MB, SHA-256 ${sha256}`);
  return [name, sha256];
}

/** The folder may be served meanwhile: a program appears whole, and on the same file system. */
function install(draft, path) {
  const aside = `${path}.draft`;
  writeFileSync(aside, readFileSync(draft), { mode: 0o755 });
  renameSync(aside, path);
}

function collectLicenses(places) {
  const node = ['Node.js', readFileSync(join(fetchNode(PLATFORMS[0]), 'LICENSE'), 'utf8')];
  const own = ['cryolift', readFileSync(new URL('../../LICENSE', import.meta.url), 'utf8')];
  const texts = [own, ...places.map((place) => [place.replace('node_modules/', ''), licenseOf(place)]), node];
  return texts.map(([name, text]) => `${'='.repeat(80)}\n${name}\n${'='.repeat(80)}\n\n${text.trim()}\n`).join('\n');
}
