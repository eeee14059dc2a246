import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { kindOf } from './file-kind.ts';

const kind = (fields: object) => kindOf({ file_id: 'a', mrc: null, ...fields } as FileRecord);

test('file kind: that of the header, session data only for the .mdoc file itself, or other', () => {
  assert.equal(kind({}), 'other');
  assert.equal(kind({ tiff: { kind: 'stack' } }), 'stack');
  assert.equal(kind({ mdoc: { file_id: 'a' } }), 'mdoc');
  assert.equal(kind({ mdoc: { file_id: 'b' } }), 'other');
  assert.equal(kind({ mdoc: { file_id: 'b' }, mrc: { kind: 'tilt_series' } }), 'tilt_series');
});
