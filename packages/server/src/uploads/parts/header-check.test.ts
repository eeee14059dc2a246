import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { Finding, UploadRecord } from '@cryolift/protocol/messages';
import { checkHeader, checkHeaderAlone } from './header-check.ts';

const good = buildHeader({ nx: 4, ny: 4, nz: 1, mode: 2 });
const sizeBytes = 1024 + 4 * 4 * 4;
const question = { filename: 'a.mrc', sizeBytes, header: good, force: false };

const codesOf = (warnings: string) => (JSON.parse(warnings) as Finding[]).map(({ code }) => code);

function refuses(code: string) {
  return (error: unknown) => error instanceof UploadError && error.code === code;
}

test('header check: returns the fields of a valid header', () => {
  const { mrc, warnings } = checkHeader(question);
  const summary = JSON.parse(mrc as string) as NonNullable<UploadRecord['mrc']>;
  assert.deepEqual([summary.nx, summary.ny, summary.nz, summary.mode], [4, 4, 1, 2]);
  assert.equal(summary.expected_size, sizeBytes);
  assert.equal(warnings, '[]');
});

test('header check: ignores files of other types', () => {
  const verdict = checkHeader({ filename: 'a.txt', sizeBytes: 3, header: new Uint8Array(3), force: false });
  assert.deepEqual(verdict, { mrc: null, warnings: '[]' });
});

test('header check: TIFF files by their first bytes, with and without a known size', () => {
  const tiff = { filename: 'a.EER', sizeBytes: 5_000, header: Buffer.alloc(1024), force: false };
  const good = Buffer.concat([Buffer.from('49492a0000100000', 'hex'), Buffer.alloc(1016)]);
  assert.deepEqual(checkHeader({ ...tiff, header: good }), { mrc: null, warnings: '[]' });
  assert.deepEqual(checkHeader({ ...tiff, header: null }), { mrc: null, warnings: '[]' });
  assert.throws(() => checkHeader(tiff), refuses('invalid_tiff'));
  assert.throws(() => checkHeader({ ...tiff, header: good, sizeBytes: 4_096 }), refuses('invalid_tiff'));
  assert.throws(() => checkHeader({ ...tiff, header: null, sizeBytes: 0 }), refuses('invalid_tiff'));
  assert.throws(() => checkHeaderAlone(tiff), refuses('invalid_tiff'));
  assert.deepEqual(checkHeaderAlone({ ...tiff, header: good }), { mrc: null, warnings: '[]' });
  assert.match(checkHeader({ ...tiff, force: true }).warnings, /not_tiff/);
});

test('header check: refuses an invalid header with every reason', () => {
  assert.throws(
    () => checkHeader({ ...question, sizeBytes: sizeBytes - 1 }),
    (error) => {
      assert.ok(refuses('invalid_mrc')(error));
      const { reasons } = (error as UploadError).details as { reasons: Finding[] };
      assert.equal(reasons.length, 1);
      return reasons.every(({ code, message }) => code !== '' && (error as Error).message.includes(message));
    },
  );
  assert.throws(() => checkHeader({ ...question, header: Buffer.alloc(1024, 'x') }), refuses('invalid_mrc'));
});

test('header check: force turns rejections into warnings', () => {
  const short = checkHeader({ ...question, sizeBytes: sizeBytes - 1, force: true });
  assert.equal(codesOf(short.warnings).length, 1);
  assert.notEqual(short.mrc, null);
  const foreign = checkHeader({ ...question, header: Buffer.alloc(1024, 'x'), force: true });
  assert.equal(foreign.mrc, null);
  assert.equal(codesOf(foreign.warnings).length, 1);
});

test('header check: a file that is too small for a header is refused by its size, except with force', () => {
  assert.throws(() => checkHeader({ ...question, sizeBytes: 1023, header: null }), refuses('invalid_mrc'));
  for (const header of [null, new Uint8Array(1023)]) {
    assert.equal(codesOf(checkHeader({ ...question, sizeBytes: 1023, header, force: true }).warnings).length, 1);
  }
  assert.deepEqual(checkHeader({ ...question, header: null }), { mrc: null, warnings: '[]' });
});

test('header check: an incomplete header is an invalid request', () => {
  for (const force of [false, true]) {
    assert.throws(
      () => checkHeader({ ...question, header: good.subarray(0, 1023), force }),
      refuses('invalid_request'),
    );
  }
});
