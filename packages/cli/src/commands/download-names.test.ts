/** Where `cryolift download` writes for a malicious server. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { serveFile, startHostile } from '../testing/test-hostile.ts';
import { runAlone, runInFolder } from '../testing/test-process.ts';

const BYTES = Buffer.from('export PATH=/tmp/evil');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-names-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

for (const filename of ['.bash_profile', 'CON', 'C:foo', '../evil', '..', 'sub\\evil', 'a\x1b]52;c;ZQ==\x07.mrc', '']) {
  test(`download: the name ${JSON.stringify(filename)} of a server is refused, and -o gives another`, async (t) => {
    const url = await startHostile(t, serveFile(BYTES, { filename }));
    const env = { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 'any' };
    const refused = await runAlone(['download', 'f1', '-o', folder], env);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /^cryolift: The name of this file on the server .*\n.*-o NAME/);
    assert.ok(!refused.stderr.includes('\x1b'));
    assert.deepEqual(await readdir(folder), []);

    const named = await runAlone(['download', 'f1', '-o', join(folder, 'mine.mrc')], env);
    assert.equal(named.code, 0, named.stderr);
    assert.deepEqual(await readdir(folder), ['mine.mrc']);
  });
}

test('download: planted links of its temporary names are not followed, and its modes follow the umask', async (t) => {
  const env = {
    CRYOLIFT_SERVER: await startHostile(t, serveFile(BYTES, { filename: 'a.mrc' })),
    CRYOLIFT_TOKEN: 'any',
  };
  const victim = join(folder, 'victim');
  await writeFile(victim, 'mine');
  const target = join(folder, 'to');
  await mkdir(target);
  const planted = ['a.mrc.part', 'a.mrc.part.json', 'a.mrc.part.json.new'];
  for (const name of planted) await symlink(victim, join(target, name));
  for (const umask of ['022', '077']) {
    const { code, stderr } = await runInFolder(target, `umask ${umask}; $CRYOLIFT download f1 --force`, env);
    assert.equal(code, 0, stderr);
    assert.deepEqual((await readdir(target)).sort(), ['a.mrc', ...planted]);
    assert.equal((await stat(join(target, 'a.mrc'))).mode & 0o777, 0o666 & ~Number.parseInt(umask, 8));
    await rm(join(target, 'a.mrc'));
  }
  assert.equal(await readFile(victim, 'utf8'), 'mine');

  const key = createHash('sha256').update(`f1\n${SHA256}`).digest('hex').slice(0, 32);
  await symlink(folder, join(target, `.cryolift-${key}.part`));
  const refused = await runInFolder(target, '$CRYOLIFT download f1', env);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /was not created by a download of this user/);
  assert.deepEqual((await readdir(folder)).sort(), ['to', 'victim']);
});
