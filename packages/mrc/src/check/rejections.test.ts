import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { buildHeader } from '../header/writer.ts';
import { checkMrc, type MrcCandidate } from './check.ts';
import { checkMrcSize } from './rejections.ts';

function assertRejected(candidate: MrcCandidate, code: string, message: RegExp) {
  const check = checkMrc(candidate);
  assert.ok(check.verdict === 'rejected', check.verdict);
  assert.deepEqual(
    check.rejections.map((rejection) => rejection.code),
    [code],
  );
  assert.match(check.rejections[0]!.message, message);
  return check;
}

const image = { nx: 10, ny: 10, nz: 2, mode: 2 };
const imageBytes = 1024 + 10 * 10 * 2 * 4;
const textBytes = (text: string) => new TextEncoder().encode(text);
/** 1024 bytes with these at the start. */
const beginWith = (...start: readonly number[]) => {
  const bytes = new Uint8Array(1024).fill(0x5a);
  bytes.set(start);
  return bytes;
};

test('file_too_small: a file smaller than a header is rejected by its size alone', () => {
  assert.equal(checkMrcSize(1024), null);
  for (const sizeBytes of [0, 1023]) {
    assert.equal(checkMrcSize(sizeBytes)?.code, 'file_too_small');
    assertRejected({ header: new Uint8Array(0), sizeBytes }, 'file_too_small', /1,024/);
  }
});

test('size_invalid: a size that is not a file size is rejected', () => {
  for (const sizeBytes of [-1, 1e17, 2000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assertRejected({ header: buildHeader(image), sizeBytes }, 'size_invalid', /whole number/);
  }
});

test('file_too_short: the message counts the missing bytes', () => {
  const check = assertRejected(
    { header: buildHeader(image), sizeBytes: imageBytes - 10 },
    'file_too_short',
    /^10 bytes are missing: .*10 × 10 × 2 voxels of mode 2 \(32-bit float\).* 1,824 bytes in all, .*1,814/,
  );
  assert.equal(check.mrc?.expected_size, imageBytes);
  assertRejected({ header: buildHeader(image), sizeBytes: imageBytes - 1 }, 'file_too_short', /^1 bytes are missing/);
  assert.equal(checkMrc({ header: buildHeader(image), sizeBytes: imageBytes }).verdict, 'accepted');
});

test('extended_header_missing: distinguished from a truncated file', () => {
  const nsymbt = 49_920;
  for (const nz of [2, 1000]) {
    const header = buildHeader({ ...image, nz, nsymbt });
    const sizeBytes = 1024 + 10 * 10 * nz * 4;
    assertRejected({ header, sizeBytes }, 'extended_header_missing', /exactly NSYMBT, 49,920 bytes.*cryoCARE.*to 0/);
  }
  const header = buildHeader({ ...image, nz: 1000, nsymbt });
  assertRejected({ header, sizeBytes: 1024 + 400_000 - 1 }, 'file_too_short', /^49,921 bytes are missing/);
});

test('extended_header_negative, extended_header_beyond_file: impossible NSYMBT is rejected', () => {
  const check = assertRejected(
    { header: buildHeader({ ...image, nsymbt: -4 }), sizeBytes: imageBytes },
    'extended_header_negative',
    /-4/,
  );
  assert.equal(check.mrc, null);
  assertRejected(
    { header: buildHeader({ ...image, nsymbt: 5000 }), sizeBytes: imageBytes - 1 },
    'extended_header_beyond_file',
    /5,000.*1,823/,
  );
  assertRejected(
    { header: buildHeader({ ...image, mode: 1002, nsymbt: 5000 }), sizeBytes: imageBytes },
    'extended_header_beyond_file',
    /5,000.*1,824/,
  );
  // The size of compressed data says nothing.
  const compressed = (nsymbt: number) => ({ header: buildHeader({ ...image, mode: 1002, nsymbt }), sizeBytes: 1824 });
  assertRejected(compressed(801), 'extended_header_beyond_file', /801/);
  assert.equal(checkMrc(compressed(800)).verdict, 'accepted');
});

test('file_too_short: dimensions larger than any file are rejected', () => {
  const side = 2 ** 31 - 1;
  const header = buildHeader({ nx: side, ny: side, nz: side, mode: 4 });
  const check = assertRejected({ header, sizeBytes: Number.MAX_SAFE_INTEGER }, 'file_too_short', /2,147,483,647/);
  assert.equal(check.mrc, null);
});

test('header_unreadable: no byte order gives valid dimensions and a mode', () => {
  for (const byteOrder of ['little', 'big'] as const) {
    const zero = buildHeader({ ...image, nx: 0, byteOrder });
    assertRejected({ header: zero, sizeBytes: imageBytes }, 'header_unreadable', /NX, NY, NZ are 0, 10, 2/);
    const negative = buildHeader({ ...image, nz: -1, byteOrder });
    assertRejected({ header: negative, sizeBytes: imageBytes }, 'header_unreadable', /10, 10, -1/);
    const mode = buildHeader({ ...image, mode: 5, byteOrder });
    assertRejected({ header: mode, sizeBytes: imageBytes }, 'header_unreadable', /MODE is 5, .*0, 1, 2/);
  }
});

test('header_is_text: the message quotes the text', () => {
  const header = buildHeader(image);
  header.set(textBytes('data_x\n\nloop_\n\n#'));
  assertRejected({ header, sizeBytes: imageBytes }, 'header_is_text', /"data_x\\n\\nloop_\\n\\n#"/);
  const modeOnly = buildHeader(image);
  modeOnly.set(textBytes('nats'), 12);
  assertRejected({ header: modeOnly, sizeBytes: imageBytes }, 'header_unreadable', /1937006958, which spells "nats"/);
});

test('header_is_text: a byte order mark is accepted', () => {
  const header = beginWith(...textBytes('\ufeff<?xml version="1.0"?>'));
  assertRejected({ header, sizeBytes: 5000 }, 'header_is_text', /"<\?xml/);
});

test('header_empty: a header of zeros is rejected', () => {
  assertRejected({ header: new Uint8Array(2048), sizeBytes: 10_000 }, 'header_empty', /zeros/);
});

test('compressed: the message gives the right file extension', () => {
  const plain = buildHeader({ nx: 30, ny: 30, nz: 1, mode: 2 });
  const fill = (bytes: Uint8Array) => beginWith(...bytes.subarray(0, 200));
  const compressed: readonly (readonly [Uint8Array, string])[] = [
    [fill(gzipSync(plain)), '.gz'],
    [fill(zstdCompressSync(plain)), '.zst'],
    [beginWith(...textBytes('BZh91AY&SY')), '.bz2'],
    [beginWith(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00), '.xz'],
  ];
  for (const [header, suffix] of compressed) {
    const hint = new RegExp(`Name it grid\\.mrc\\${suffix} `);
    assertRejected({ header, sizeBytes: 9999, filename: 'grid.mrc' }, 'compressed', hint);
    const named = assertRejected(
      { header, sizeBytes: 9999, filename: `grid.mrc${suffix}` },
      'compressed',
      /Decompress it first/,
    );
    assert.doesNotMatch(named.rejections[0]!.message, /Name it/);
  }
});

test('other_format: the message names the format', () => {
  const others: readonly (readonly [Uint8Array, RegExp])[] = [
    [beginWith(0x49, 0x49, 0x2a, 0), /TIFF/],
    [beginWith(0x4d, 0x4d, 0, 0x2a), /TIFF/],
    [beginWith(0x49, 0x49, 0x2b, 0, 8, 0, 0, 0), /EER/],
    [beginWith(0x4d, 0x4d, 0, 0x2b), /BigTIFF/],
    [beginWith(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a), /HDF5/],
  ];
  for (const [header, name] of others) assertRejected({ header, sizeBytes: 9999 }, 'other_format', name);
});

test('other_format: a TIFF whose first words read as dimensions is rejected', () => {
  // NX is the magic number, NY the offset of the directory, then pixels that happen to be 1, 2.
  const header = beginWith(0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0);
  assertRejected({ header, sizeBytes: 99_999_999_999 }, 'other_format', /TIFF/);
});
