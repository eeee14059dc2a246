import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMrcName } from './name.ts';

test('isMrcName: the extensions of MRC files in any case', () => {
  for (const name of ['a.mrc', 'a.MRCS', 'a.b.Map', 'a.ccp4', 'a.rec', 'TS_01.st', 'a.ali', 'a.preali']) {
    assert.equal(isMrcName(name), true, name);
  }
  for (const name of ['', 'mrc', 'a.mrc.gz', 'a.mrcx', 'a.xmrc', 'a.tif', 'a.mrc ', 'a.']) {
    assert.equal(isMrcName(name), false, name);
  }
});
