/** `cryolift verify --receipt` as a process, without a server. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, printDocument, Signer } from '../../../protocol/src/receipt/test-receipt.ts';
import { parseLines, runAlone } from '../testing/test-process.ts';

const FILES = { 'grid 1/a.mrc': 'first', 'grid 1/ä.mrc': 'second', 'gain.mrc': '' };

/** A folder with files, beside it their receipt and the keys of its server. */
async function makeFolder(t: TestContext, root = '') {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-receipt-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [path, text] of Object.entries(FILES)) {
    const place = join(folder, 'got', root, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, text);
  }
  const signer = new Signer();
  const files = Object.entries(FILES)
    .map(([path, text]) => makeFile(path, Buffer.byteLength(text), createHash('sha256').update(text).digest('hex')))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const [receipt, keys, got] = ['receipt.json', 'keys.json', 'got'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const text = printDocument(await signer.issue(files));
  await writeFile(receipt, text);
  await writeFile(keys, JSON.stringify({ keys: [await signer.key()] }));
  const verify = (...more: string[]) => runAlone(['verify', '--receipt', receipt, got, ...more]);
  return { got, receipt, keys, text, verify };
}

test('verify: a folder is compared with a receipt, file by file', async (t) => {
  const { got, keys, verify } = await makeFolder(t);
  const good = await verify('--keys', keys);
  assert.deepEqual([good.code, good.stdout], [0, 'all 3 files identical, 11 B\n']);
  assert.match(good.stderr, /^Receipt of https:\/\/one\.example for grid 4 – Å, .*: the signature is right\.\n$/);

  await writeFile(join(got, 'grid 1/a.mrc'), 'First');
  await writeFile(join(got, 'gain.mrc'), 'longer');
  await rm(join(got, 'grid 1/ä.mrc'));
  await writeFile(join(got, 'more.txt'), '');
  const bad = await verify('--json');
  assert.equal(bad.code, 1);
  const [receipt, ...lines] = parseLines(bad.stdout);
  assert.deepEqual([receipt?.valid, receipt?.is_key_known], [true, false]);
  assert.deepEqual(
    lines.map(({ path, state }) => [path, state]),
    [
      ['gain.mrc', 'different'],
      ['grid 1/a.mrc', 'different'],
      ['grid 1/ä.mrc', 'missing'],
      [undefined, undefined],
    ],
  );
  const { identical, missing, different, extra } = lines.at(-1) ?? {};
  assert.deepEqual([identical, missing, different, extra], [0, 1, 2, 1]);
  const shown = await verify();
  assert.match(
    shown.stdout,
    /^gain\.mrc: DIFFERENT, 6 bytes here, 0 by the receipt\ngrid 1\/a\.mrc: DIFFERENT\n {2}here /,
  );
  assert.match(shown.stdout, /\n0 of 3 files identical, 1 missing, 2 different, 1 not named by the receipt\n$/);
});

test('verify: a receipt that was changed, or is of another key, is refused', async (t) => {
  const { receipt, keys, text, verify } = await makeFolder(t);
  await writeFile(receipt, text.replace('"size":5', '"size":6'));
  const changed = await verify();
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /number of files or bytes than the receipt says/);
  await writeFile(receipt, text);
  await writeFile(keys, JSON.stringify({ keys: [await new Signer().key()] }));
  const other = await verify('--keys', keys);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /the key .* is not in /);
  const unchecked = await verify();
  assert.equal(unchecked.code, 0);
  assert.match(unchecked.stderr, /Whose key .* is was not checked; --keys FILE does so\./);
});

test('verify: the files of a bag are in its data folder', async (t) => {
  const { got, verify } = await makeFolder(t, 'data');
  await writeFile(join(got, 'bagit.txt'), 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n');
  assert.equal((await verify()).stdout, 'all 3 files identical, 11 B\n');
});

test('verify: needs a file of the server, or a receipt', async () => {
  for (const args of [['a'], ['a', 'b', '--receipt', 'c'], ['a', 'b', '--keys', 'c']]) {
    assert.equal((await runAlone(['verify', ...args])).code, 2, args.join(' '));
  }
});
