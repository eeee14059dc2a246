import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import { checkHeader } from './header-check.ts';

const LIMITS = { mrc_types: ['mrc'], accepted_types: ['txt'], max_file_size: 10_000 } as Partial<Limits> as Limits;

function mrcFile(bytes: number): File {
  const header = buildHeader({ nx: 10, ny: 10, nz: 1, mode: 0 });
  return new File([new Uint8Array(header), new Uint8Array(bytes)], 'a.mrc');
}

test('header check: a complete MRC file is accepted with its header', async () => {
  const check = await checkHeader(mrcFile(100), LIMITS);
  assert.deepEqual([check.refusals, check.mrc?.nx], [[], 10]);
});

test('header check: a truncated MRC file is refused, and can be forced', async () => {
  const check = await checkHeader(mrcFile(60), LIMITS);
  assert.equal(check.refusals.length, 1);
  assert.match(check.refusals[0] ?? '', /40 bytes/);
  assert.equal(check.canForce, true);
});

test('header check: a file of another accepted type is not read', async () => {
  const check = await checkHeader(new File(['notes'], 'notes.txt'), LIMITS);
  assert.deepEqual(check, { mrc: null, refusals: [], canForce: false, warnings: [] });
});

test('header check: an unknown type and a file that is too large are refused and cannot be forced', async () => {
  const unknown = await checkHeader(new File(['x'], 'a.docx'), LIMITS);
  assert.deepEqual(unknown.refusals, ['.docx files are not accepted here. Accepted: .mrc .txt.']);
  const noExtension = await checkHeader(new File(['x'], 'README'), LIMITS);
  assert.deepEqual(noExtension.refusals, ['Files without an extension are not accepted here. Accepted: .mrc .txt.']);
  const large = await checkHeader(new File([new Uint8Array(10_001)], 'a.mrc'), LIMITS);
  assert.deepEqual(large.refusals, ['The file is larger than this server accepts: 9.77 KiB.']);
  assert.deepEqual([unknown.canForce, noExtension.canForce, large.canForce], [false, false, false]);
});

test('header check: without limits only the header is checked', async () => {
  assert.deepEqual((await checkHeader(new File(['x'], 'a.docx'), null)).refusals, []);
  assert.equal((await checkHeader(mrcFile(60), null)).refusals.length, 1);
});

test('header check: a server that accepts any type accepts names without an extension', async () => {
  const check = await checkHeader(new File(['x'], 'README'), { ...LIMITS, accepted_types: ['*'] });
  assert.deepEqual(check.refusals, []);
});
