import assert from 'node:assert/strict';
import { link, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { cutName, placeNew, placeWithoutLinks, temporaryName } from './place.ts';

let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-place-'));
  await writeFile(at('from'), 'new');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

for (const place of [placeNew, placeWithoutLinks]) {
  test(`${place.name}: uses a free name, and changes no existing file`, async () => {
    await writeFile(at('old'), 'old');
    await symlink('nowhere', at('dangling'));
    for (const name of ['old', 'dangling']) assert.equal(await place(at('from'), at(name)), false);
    assert.equal(await readFile(at('old'), 'utf8'), 'old');
    assert.equal(await place(at('from'), at('to')), true);
    assert.equal(await readFile(at('to'), 'utf8'), 'new');
    assert.deepEqual((await readdir(folder)).sort(), ['dangling', 'old', 'to']);
  });
}

test('placeNew: succeeds when the link was created and the answer was lost', async () => {
  await link(at('from'), at('to'));
  assert.equal(await placeNew(at('from'), at('to')), true);
  assert.deepEqual(await readdir(folder), ['to']);
});

test('temporaryName: is hidden, unique, and short enough', async () => {
  const name = 'ä'.repeat(127);
  const [one, other] = [temporaryName(name, 'part'), temporaryName(name, 'part')];
  assert.notEqual(one, other);
  assert.match(one, /^\.ä{50}\.[0-9a-f]{16}\.part$/);
  await writeFile(at(one), '');
});

test('cutName: does not split a character', () => {
  assert.deepEqual(
    ['aäb', 'a😀b', 'abc'].map((name) => cutName(name, 3)),
    ['aä', 'a', 'abc'],
  );
});
