import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileNameOf } from './file-name.ts';

test('file name: it needs no quotes in a shell, is not hidden, and is never empty', () => {
  assert.equal(fileNameOf('2026-11-30 grid 7'), '2026-11-30-grid-7');
  assert.equal(fileNameOf("../a'; rm -rf $HOME #"), 'a-rm-rf-HOME');
  assert.equal(fileNameOf('Gitter Ä_3'), 'Gitter-Ä_3');
  assert.equal(fileNameOf('///'), 'dataset');
});
