/** The folder that is packed: as a checkout after `npm ci`, without what only development needs. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchNode } from '../one-file/node-binary.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { workspaces } = readJson('package.json');
/** The packages of a server, itself with its commands. */
const PACKAGES = ['protocol', 'mrc', 'client', 'cli', 'server'].map((name) => `packages/${name}`);
const NPM_CI = [
  'ci',
  ...['server', 'cli'].flatMap((name) => ['--workspace', `packages/${name}`]),
  // Optional packages are Node itself, for this machine and not for the one of the server.
  ...['--omit=dev', '--omit=optional', '--ignore-scripts', '--prefer-offline'],
  ...['--no-audit', '--no-fund', '--loglevel=error'],
];
/** As in .dockerignore. */
const LEFT_OUT =
  /(?:\.test\.ts|\/test-[^/]*\.ts|\/(?:fixtures|test|dist|node_modules|\.cache)|\/fuzz\.ts|\/tsconfig[^/]*)$/;
/** Where the unit of `deploy/systemd` expects a checkout; install.sh has versions below it. */
const CHECKOUT = /\/opt\/cryolift(?=[/\n])/g;
const COMMAND = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/../node_modules/.bin/node" "$here/../packages/cli/bin/cryolift.js" "$@"
`;

export const VERSION = readJson('packages/server/package.json').version;

/** @returns the npm packages in it: their places in package-lock.json (`node_modules/NAME`), sorted. */
export function fillFolder(folder) {
  const places = installPackages(folder);
  for (const path of PACKAGES) copy(path, folder, (source) => !LEFT_OUT.test(source));
  execFileSync(process.execPath, [join(ROOT, 'scripts/build-page.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
  copy('packages/server/dist/page', folder);
  for (const path of ['LICENSE', 'CHANGELOG.md', 'deploy/systemd/cryolift.env']) copy(path, folder);
  copy('docs', folder, (source) => !/\/screenshots$/.test(source));
  write(join(folder, 'VERSION'), `${VERSION}\n`);
  write(join(folder, 'bin/cryolift'), COMMAND, 0o755);
  write(join(folder, 'install.sh'), read('deploy/systemd/install.sh'), 0o755);
  const unit = read('deploy/systemd/cryolift.service').replace(CHECKOUT, '/opt/cryolift/current');
  write(join(folder, 'deploy/systemd/cryolift.service'), unit);
  return places;
}

/** Puts Node where npm puts it. @returns its folder. */
export function addNode(folder, platform) {
  const source = fetchNode(platform);
  const place = join(folder, 'node_modules', platform.package);
  for (const name of ['bin/node', 'LICENSE', 'package.json']) cpSync(join(source, name), join(place, name));
  const link = join(folder, 'node_modules/.bin/node');
  rmSync(link, { force: true });
  symlinkSync(join('..', platform.package, 'bin/node'), link);
  return place;
}

/** What package-lock.json says, checked by npm. */
function installPackages(folder) {
  for (const path of ['package.json', 'package-lock.json', ...workspaces.map((each) => `${each}/package.json`)])
    copy(path, folder);
  execFileSync('npm', NPM_CI, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const list = join(folder, 'node_modules/.package-lock.json');
  const { packages } = JSON.parse(readFileSync(list, 'utf8'));
  const places = Object.keys(packages).filter((place) => place.includes('node_modules/') && !packages[place].link);
  for (const each of ['package-lock.json', 'package.json', 'suites', 'packages/web', 'node_modules/.bin'])
    rmSync(join(folder, each), { recursive: true });
  rmSync(list);
  mkdirSync(join(folder, 'node_modules/.bin'));
  return places.sort();
}

function copy(path, folder, filter = () => true) {
  const isCopied = (source) => filter(`/${relative(ROOT, source)}`) || source === join(ROOT, path);
  cpSync(join(ROOT, path), join(folder, path), { recursive: true, filter: isCopied });
}

function write(path, text, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

function read(path) {
  return readFileSync(join(ROOT, path), 'utf8');
}

function readJson(path) {
  return JSON.parse(read(path));
}
