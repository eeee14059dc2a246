import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import type { FoundFile } from './found-files.ts';
import { checkHeader } from './header-check.ts';
import { sidecarsOf } from './sidecars.ts';

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

test('header check: a stack with a .mdoc file beside it is a tilt series', async () => {
  const header = buildHeader({ nx: 10, ny: 10, nz: 3, mode: 0, m: [10, 10, 1], cella: [20, 20, 1] });
  const file = new File([new Uint8Array(header), new Uint8Array(300)], 'TS_1.mrc');
  const section = (z: number) => `[ZValue = ${z}]\nTiltAngle = ${3 * z - 3}\n`;
  const sidecar = new File([`ImageFile = TS_1.mrc\n${[0, 1, 2].map(section).join('')}`], 'TS_1.mrc.mdoc');
  const found = [file, sidecar].map((each) => ({ file: each, path: `grid/${each.name}`, handle: null }));
  assert.equal(sidecarsOf(found)(found[0] as FoundFile), sidecar);
  assert.equal(sidecarsOf(found)({ file, path: null, handle: null }), null, 'in another folder');
  assert.equal((await checkHeader(file, LIMITS)).mrc?.kind, 'stack');
  const { mrc } = await checkHeader(file, LIMITS, sidecar);
  assert.deepEqual([mrc?.kind, mrc?.tilts?.source], ['tilt_series', 'mdoc']);
  assert.equal((await checkHeader(file, LIMITS, new File(['no text'], 'TS_1.mdoc'))).mrc?.kind, 'stack');
});
