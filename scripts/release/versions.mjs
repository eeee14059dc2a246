/** Where the version of Cryolift is written: manifests, the lock file, names of images and archives. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Semantic Versioning 2.0.0, without build metadata, and without hyphens inside of a pre-release. */
export const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$/;
const LOCK = 'package-lock.json';
const KINDS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];
/** An image, or a file of a release. */
const NAMED = /\bcryolift(?::|-server-)(\d+\.\d+\.\d+(?:-(?!linux)[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*)?)/g;
const NAMING = ['deploy', 'docs', 'README.md'];

/** @returns what has another version, one line each. */
export function findOtherVersions(root, version) {
  const manifests = listManifests(root);
  const lock = readJson(root, LOCK);
  const parts = [
    ...manifests.map((path) => [path, readJson(root, path)]),
    [LOCK, lock],
    ...Object.entries(lock.packages).map(([place, each]) => [`${LOCK}, "${place}"`, each]),
  ];
  const names = namesOf(root, manifests);
  const isOurs = ([where, { name }]) => !where.includes('node_modules/') && (name === undefined || names.has(name));
  const found = parts.filter(isOurs).flatMap(([where, each]) => otherIn(where, each, names, version));
  const named = listNaming(root).flatMap((path) =>
    [...read(root, path).matchAll(NAMED)]
      .filter(([, each]) => each !== version)
      .map(([text]) => `${path} names ${text}, not ${version}`),
  );
  return [...found, ...new Set(named)];
}

/** Writes the version everywhere. */
export function setVersions(root, version) {
  const manifests = listManifests(root);
  const names = namesOf(root, manifests);
  for (const path of manifests) writeJson(root, path, withVersion(readJson(root, path), names, version));
  const lock = { ...readJson(root, LOCK), version };
  for (const place of ['', ...manifests.map((path) => path.replace(/\/?package\.json$/, ''))])
    lock.packages[place] = withVersion(lock.packages[place], names, version);
  writeJson(root, LOCK, lock);
  for (const path of listNaming(root)) {
    const text = read(root, path);
    const changed = text.replace(NAMED, (all, old) => all.slice(0, -old.length) + version);
    if (changed !== text) writeFileSync(join(root, path), changed);
  }
}

function otherIn(where, part, names, version) {
  const own = part.version === version ? [] : [`${where} has the version ${part.version}, not ${version}`];
  const pins = KINDS.flatMap((kind) => Object.entries(part[kind] ?? {}))
    .filter(([name, pin]) => names.has(name) && pin !== version)
    .map(([name, pin]) => `${where} asks for ${name} ${pin}, not ${version}`);
  return [...own, ...pins];
}

function withVersion(part, names, version) {
  const changed = { ...part, version };
  for (const kind of KINDS.filter((each) => each in part)) {
    const pins = Object.entries(part[kind]).map(([name, pin]) => [name, names.has(name) ? version : pin]);
    changed[kind] = Object.fromEntries(pins);
  }
  return changed;
}

/** Of the workspace. */
function listManifests(root) {
  const { workspaces } = readJson(root, 'package.json');
  return ['package.json', ...workspaces.map((each) => `${each}/package.json`)];
}

function namesOf(root, manifests) {
  return new Set(manifests.map((path) => readJson(root, path).name));
}

function listNaming(root) {
  const listed = execFileSync('git', ['ls-files', '-z', '--', ...NAMING], { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter((path) => /\.(md|yaml|yml|example|sh)$|Dockerfile$/.test(path));
}

function read(root, path) {
  return readFileSync(join(root, path), 'utf8');
}

function readJson(root, path) {
  return JSON.parse(read(root, path));
}

function writeJson(root, path, value) {
  writeFileSync(join(root, path), `${JSON.stringify(value, null, 2)}\n`);
}
