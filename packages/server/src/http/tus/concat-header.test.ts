import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { parseConcat } from './concat-header.ts';

test('concat: absent, partial', () => {
  assert.equal(parseConcat(undefined), null);
  assert.deepEqual(parseConcat('partial'), { kind: 'partial' });
});

test('concat: URLs of a final upload are absolute or relative, in their order', () => {
  const header = 'final;/tus/B https://cryolift.example.org/tus/A http://localhost:1080/below/tus/C';
  assert.deepEqual(parseConcat(header), { kind: 'final', uploadIds: ['B', 'A', 'C'], header });
  assert.deepEqual(parseConcat('final; /tus/A  /tus/B '), {
    kind: 'final',
    uploadIds: ['A', 'B'],
    header: 'final;/tus/A /tus/B',
  });
});

test('concat: the token in a URL is not kept', () => {
  const parsed = parseConcat('final;/tus/A?token=cl_link_secret /tus/B#x');
  assert.deepEqual(parsed, { kind: 'final', uploadIds: ['A', 'B'], header: 'final;/tus/A /tus/B' });
});

test('concat: other values, URLs of something else, and a URL twice are refused', () => {
  const bad = [
    '',
    'Partial',
    'final',
    'final;',
    'final; ',
    'final;/files/A',
    'final;/tus/',
    'final;/tus/A/B',
    'final;A',
  ];
  for (const header of [...bad, 'final;/tus/A /tus/A', 'final;/tus/A http://x/tus/A', 'final;/tus/../A']) {
    assert.throws(
      () => parseConcat(header),
      (error) => error instanceof UploadError && error.code === 'invalid_request',
      header,
    );
  }
});
