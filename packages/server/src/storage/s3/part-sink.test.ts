/** How the bytes of a part are gathered: what a request gets of them, and when. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Writers } from '../disk/threads/writers.ts';
import { makeBytes, sha256Of } from '../test-storage.ts';
import { S3PartSink } from './part-sink.ts';

const BLOCK_BYTES = 256 * 1024;

/** A sink whose request only notes what it gets. */
function openSink(t: TestContext, bytes: Buffer) {
  const writers = new Writers(1, 2);
  t.after(() => writers.close());
  const sent: Buffer[] = [];
  const answered = Promise.withResolvers<{ etag: string; checksum: string }>();
  const request = new Writable({
    write(piece: Buffer, _encoding, done) {
      sent.push(Buffer.from(piece));
      done();
    },
    final(done) {
      answered.resolve({ etag: 'any', checksum: Buffer.from(sha256Of(bytes)).toString('base64') });
      done();
    },
  });
  const send = ({ body }: { body: { pipe(target: Writable): Writable } }) => {
    body.pipe(request);
    return answered.promise;
  };
  return { sink: new S3PartSink(send, writers.open(null), bytes.length, sha256Of(bytes)), sent };
}

test('S3 sink: small pieces are gathered, and arrive in their order', async (t) => {
  const bytes = makeBytes(3 * BLOCK_BYTES + 5000);
  const { sink, sent } = openSink(t, bytes);
  for (let at = 0; at < bytes.length; at += 1000) await sink.write(bytes.subarray(at, at + 1000));
  assert.deepEqual((await sink.commit()).receipt, 'any');
  assert.ok(Buffer.concat(sent).equals(bytes));
  assert.deepEqual(
    sent.map(({ length }) => length),
    [BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, 5000],
  );
});

test('S3 sink: what a slow client has sent goes on with its next bytes, but never all of it', async (t) => {
  const bytes = makeBytes(30);
  const { sink, sent } = openSink(t, bytes);
  const lengths = () => sent.map(({ length }) => length);
  await sink.write(bytes.subarray(0, 10));
  await sink.write(bytes.subarray(10, 20));
  assert.deepEqual(lengths(), []);
  await sleep(1100);
  await sink.write(bytes.subarray(20));
  assert.deepEqual(lengths(), [20]);
  await sink.commit();
  assert.deepEqual(lengths(), [20, 10]);
});
