import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { UploadError } from '@cryolift/protocol/errors';
import type { BodyChecksum } from '../../uploads/append/body-checksum.ts';
import { checksumOf, TrailerChecksum } from './checksum.ts';

const BODY = Buffer.from('hello world');
const digestOf = (algorithm: string) => createHash(algorithm).update(BODY).digest('base64');

function feed<T extends BodyChecksum>(checksum: T, body = BODY): T {
  for (const byte of body) checksum.update(Buffer.from([byte]));
  return checksum;
}

test('checksum: the example of the specification', () => {
  assert.equal(feed(checksumOf('sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=')).matches(), true);
});

test('checksum: each algorithm tells the body from another', () => {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(BODY));
  assert.equal(crc.toString('hex'), '0d4a1185');
  const digests = {
    sha1: digestOf('sha1'),
    md5: digestOf('md5'),
    sha256: digestOf('sha256'),
    crc32: crc.toString('base64'),
  };
  for (const [algorithm, digest] of Object.entries(digests)) {
    assert.equal(feed(checksumOf(`${algorithm} ${digest}`)).matches(), true, algorithm);
    assert.equal(feed(checksumOf(`${algorithm} ${digest}`), Buffer.from('hello World')).matches(), false, algorithm);
    assert.equal(feed(new TrailerChecksum(() => `${algorithm} ${digest}`)).matches(), true, algorithm);
  }
});

test('checksum: another algorithm, and what is no digest of it, is refused', () => {
  const bad = ['', 'sha1', 'sha1 ', 'sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=', 'sha1 Kq5s', 'md4 AAAA', 'SHA1 AAAA'];
  for (const header of [...bad, `sha256 ${digestOf('sha1')}`, 'crc32 AAAAAA', 'crc32 AAAAA=', 'crc32 AAAAAB==']) {
    assert.throws(
      () => checksumOf(header),
      (error) => error instanceof UploadError && error.code === 'invalid_request',
      header,
    );
  }
});

test('checksum: a trailer that does not arrive, or is wrong, does not match and says why', () => {
  const absent = feed(new TrailerChecksum(() => undefined));
  assert.equal(absent.matches(), false);
  assert.match(absent.fault?.message ?? '', /did not arrive/);
  const unknown = feed(new TrailerChecksum(() => 'md4 AAAA'));
  assert.equal(unknown.matches(), false);
  assert.match(unknown.fault?.message ?? '', /md4 is not supported/);
  const other = feed(new TrailerChecksum(() => `sha1 ${digestOf('sha1')}`), Buffer.from('x'));
  assert.deepEqual([other.matches(), other.fault], [false, null]);
});
