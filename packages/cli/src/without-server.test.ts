import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../..');
const PACKAGES = { cli: 'cryolift', client: '@cryolift/client', mrc: '@cryolift/mrc', protocol: '@cryolift/protocol' };
/** Packages that are not part of this installation. */
const ABSENT = ['cryolift', '@cryolift'];

let folder: string;

/** Copies files, because Node resolves modules from the real path of a file. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-client-only-'));
  await mkdir(join(folder, 'node_modules/@cryolift'), { recursive: true });
  for (const [place, name] of Object.entries(PACKAGES)) {
    await cp(join(ROOT, 'packages', place), join(folder, 'packages', place), {
      recursive: true,
      filter: (path) => !/\/(dist|node_modules|fixtures|\.cache)$|\.test\.ts$/.test(path),
    });
    await symlink(join(folder, 'packages', place), join(folder, 'node_modules', name));
  }
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (ABSENT.includes(name)) continue;
    await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
});

after(() => rm(folder, { recursive: true }));

function run(...args: string[]) {
  const bin = join(folder, 'packages/cli/bin/cryolift.js');
  return spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' });
}

test('cryolift without the server: the help has the commands of the client only', () => {
  const { status, stdout, stderr } = run('--help');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ {2}upload /m);
  assert.doesNotMatch(stdout, /^ {2}(serve|admin|audit|token) /m);
});

test('cryolift without the server: a command runs', async () => {
  await writeFile(join(folder, 'short.mrc'), 'short');
  const { status, stdout } = run('inspect', join(folder, 'short.mrc'));
  assert.equal(status, 1);
  assert.match(stdout, /short\.mrc/);
});

test('cryolift without the server: serve is an unknown command', () => {
  const { status, stderr } = run('serve');
  assert.equal(status, 2);
  assert.match(stderr, /unknown command 'serve'/);
});
