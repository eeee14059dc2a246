import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { previewKinds } from './preview-kinds.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

function mrc(kind: Mrc['kind'], nz: number): Mrc {
  return { kind, nx: 64, ny: 64, nz, mode: 2 } as Mrc;
}

test('preview kinds: a single section has no average and no montage', () => {
  assert.deepEqual(previewKinds(mrc('image', 1), 'a.mrc').sort(), ['profile', 'section', 'spectrum']);
});

test('preview kinds: several sections have all kinds, each once', () => {
  for (const kind of ['stack', 'volume'] as const) {
    assert.deepEqual(previewKinds(mrc(kind, 40), 'a.mrc').sort(), [
      'average',
      'means',
      'montage',
      'profile',
      'section',
      'spectrum',
    ]);
  }
});

test('preview kinds: the default of the server is first', () => {
  assert.equal(previewKinds(mrc('volume', 40), 'a.mrc')[0], 'section');
  assert.equal(previewKinds(mrc('stack', 40), 'particles.mrcs')[0], 'montage');
  assert.equal(previewKinds({ ...mrc('stack', 40), nx: 4096, ny: 4096 }, 'movie.mrc')[0], 'average');
});
