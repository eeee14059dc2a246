import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PreviewRequest } from '@cryolift/mrc';
import type { UploadError } from '@cryolift/protocol/errors';
import { insertUpload, makeUploads } from '../test-uploads.ts';
import { uploadOf } from '../upload.ts';
import { mrcOf } from '../upload-record.ts';
import { assertShowable } from './early-section.ts';
import { checkHeader } from './header-check.ts';

/** A header that says that there are two sections of 1,000,000 × 1,000,000 voxels. */
function makeHeader(): Buffer {
  const header = Buffer.alloc(1024);
  for (const [word, value] of [1_000_000, 1_000_000, 2, 2].entries()) header.writeInt32LE(value, word * 4);
  header.write('MAP DD', 208);
  return header;
}

test('picture: a forced upload reports only its own parts as missing, with any header', async (t) => {
  const context = await makeUploads(t);
  const filename = 'a.mrc';
  const sizeBytes = 2000;
  const verdict = checkHeader({ filename, sizeBytes, header: makeHeader(), force: true });
  const row = await insertUpload(context, { filename, size: sizeBytes, part_count: 20, force: 1, ...verdict });
  const mrc = mrcOf(row);
  assert.ok(mrc);
  const asked = (slice: number): PreviewRequest => {
    return { kind: 'section', axis: 'z', slice, sizePx: 64, contrast: 'sigma' };
  };
  for (const [slice, missing] of [
    [
      0,
      [
        [0, 0],
        [10, 19],
      ],
    ],
    [1, [[0, 0]]],
  ] as const) {
    await assert.rejects(assertShowable(context, uploadOf(row), mrc, asked(slice)), (error: UploadError) => {
      assert.deepEqual([error.code, error.details], ['upload_incomplete', { missing_parts: missing }]);
      return true;
    });
  }
});
