import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { readFileFacts } from './file-facts.ts';

const factsOf = (pairs: Record<string, string | Buffer>) =>
  readFileFacts(new Map(Object.entries(pairs).map(([key, value]) => [key, Buffer.from(value as string)])));

test('file facts: Uppy sends the name twice, the type twice, and "null" for no path', () => {
  const sent = {
    relativePath: 'null',
    name: 'a.mrc',
    type: 'application/octet-stream',
    filetype: 'application/octet-stream',
    filename: 'a.mrc',
  };
  assert.deepEqual(factsOf(sent), {
    filename: 'a.mrc',
    sha256: null,
    metadata: { type: 'application/octet-stream', filetype: 'application/octet-stream' },
  });
});

test('file facts: a path in a dropped folder is kept where Cryolift keeps it', () => {
  const { filename, metadata } = factsOf({ relativePath: 'grid1/a.mrc', name: 'a.mrc' });
  assert.deepEqual([filename, metadata], ['a.mrc', { path: 'grid1/a.mrc' }]);
  const both = factsOf({ relativePath: 'grid1/a.mrc', name: 'a.mrc', path: 'own/a.mrc' });
  assert.deepEqual(both.metadata, { relativePath: 'grid1/a.mrc', path: 'own/a.mrc' });
});

test('file facts: the name is filename, else name, else none', () => {
  assert.equal(factsOf({ name: 'b.mrc' }).filename, 'b.mrc');
  assert.equal(factsOf({ filename: '', name: 'b.mrc' }).filename, 'b.mrc');
  assert.equal(factsOf({ filename: '', name: '' }).filename, null);
  assert.deepEqual(factsOf({ filename: '', name: '' }).metadata, {});
  assert.equal(factsOf({}).filename, null);
  const differ = factsOf({ filename: 'a.mrc', name: 'what I call it' });
  assert.deepEqual([differ.filename, differ.metadata], ['a.mrc', { name: 'what I call it' }]);
});

test('file facts: of a name with folders the last piece is the name, and the whole is kept', () => {
  for (const path of ['/data/grid1/a.mrc', 'C:\\data\\a.mrc']) {
    const { filename, metadata } = factsOf({ filename: path });
    assert.deepEqual([filename, metadata], ['a.mrc', { path }]);
  }
  assert.throws(
    () => factsOf({ filename: 'folder/' }),
    (error) => error instanceof UploadError && error.code === 'invalid_filename',
  );
});

test('file facts: a digest is hex, base64 or 32 bytes, and no part of the metadata', () => {
  const digest = createHash('sha256').update('x').digest();
  for (const sha256 of [
    digest,
    digest.toString('hex'),
    digest.toString('hex').toUpperCase(),
    digest.toString('base64'),
  ]) {
    const facts = factsOf({ sha256 });
    assert.deepEqual(facts.sha256 && Buffer.from(facts.sha256), digest);
    assert.deepEqual(facts.metadata, {});
  }
  assert.equal(factsOf({ sha256: '' }).sha256, null);
});

test('file facts: what is no SHA-256 is refused, also a digest of MD5', () => {
  const md5 = createHash('md5').update('x').digest('hex');
  for (const sha256 of [md5, 'abc', 'ab'.repeat(31), `${'ab'.repeat(32)}0`, Buffer.alloc(31)]) {
    assert.throws(
      () => factsOf({ sha256 }),
      (error) => error instanceof UploadError && error.code === 'invalid_request',
    );
  }
});
