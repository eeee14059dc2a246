/** The program for this Linux, where nothing else can be run: PATH names an empty folder. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildProgram } from './build.ts';
import { collect, type Machine } from './machine.ts';
import { testProgram } from './program-tests.ts';

const folder = mkdtempSync(join(tmpdir(), 'cryolift-one-file-'));
const PLATFORM = `linux-${process.arch}`;
let program = '';
let sha256 = '';

before(() => {
  const built = buildProgram(PLATFORM, join(folder, 'dist'));
  program = join(folder, 'dist', built.name);
  sha256 = built.sha256;
  mkdirSync(join(folder, 'empty'));
});

after(() => rmSync(folder, { recursive: true }));

const machine: Machine = {
  folder,
  path: (name) => join(folder, name),
  begin: (args, settings) => collect(program, args, { PATH: join(folder, 'empty'), HOME: folder, ...settings }, folder),
};

testProgram('one file, Linux', machine);

test('one file: a second build gives the same bytes', () => {
  assert.equal(buildProgram(PLATFORM, join(folder, 'again')).sha256, sha256);
});

test('one file: the list of contents names the program, Node and the packages in it', () => {
  const sbom = JSON.parse(readFileSync(`${program}.cdx.json`, 'utf8'));
  assert.deepEqual([sbom.bomFormat, sbom.specVersion], ['CycloneDX', '1.6']);
  assert.equal(sbom.metadata.component.hashes[0].content, sha256);
  const names = sbom.components.map(({ name }: { name: string }) => name);
  const licences = readFileSync(join(folder, 'dist/LICENSES.txt'), 'utf8');
  for (const name of ['commander', 'jose', 'cli-progress']) {
    assert.ok(names.includes(name), name);
    assert.match(licences, new RegExp(`^${name}$`, 'm'));
  }
  assert.ok(names.some((name: string) => name.startsWith('node-linux')));
  assert.ok(!names.includes('fastify'), 'the server is not in it');
});

test('one file: options for Node in the environment are not for it', async () => {
  const { code, stderr } = await machine.begin(['--version'], { NODE_OPTIONS: '--no-such-option' }).ended;
  assert.equal(code, 0, stderr);
});
