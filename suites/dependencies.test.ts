/** What is installed is what is written down, pinned, and under licences that a facility can live with. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LICENCES =
  /^\(?(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|Python-2\.0|CC-BY-[34]\.0)( (OR|AND) .*)?\)?$/;

test('dependencies: docs/dependencies.md is what the lock file says', () => {
  const made = execFileSync(process.execPath, ['scripts/dependencies.mjs', '--print'], { cwd: ROOT, encoding: 'utf8' });
  assert.equal(readFileSync(`${ROOT}docs/dependencies.md`, 'utf8'), made, 'run `npm run dependencies`');
  const table = made.slice(made.indexOf('| chosen'), made.indexOf('"Brings"'));
  assert.doesNotMatch(table, /\| *\|\n/, 'a chosen package without a reason');
});

test('dependencies: every version is exact', () => {
  for (const path of globSync(
    ['package.json', 'packages/*/package.json', 'bench/peers/package.json', 'suites/clients/package.json'],
    { cwd: ROOT },
  )) {
    const manifest = JSON.parse(readFileSync(`${ROOT}${path}`, 'utf8')) as Record<string, Record<string, string>>;
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {}))
        assert.match(version, /^\d+\.\d+\.\d+/, `${path}: ${name}`);
    }
  }
});

test('dependencies: every installed package has a licence that asks for nothing but its notice', () => {
  const { packages } = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')) as {
    packages: Record<string, { license?: string; dev?: boolean; link?: boolean }>;
  };
  const older = JSON.parse(readFileSync(`${ROOT}scripts/licences.json`, 'utf8')) as Record<string, string>;
  for (const [place, { license, dev, link }] of Object.entries(packages)) {
    if (dev || link || place === '' || place.startsWith('packages/')) continue;
    assert.match(license ?? older[place] ?? 'none', LICENCES, place);
  }
});
