import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { Streams } from './streams.ts';

const FOREVER = Number.POSITIVE_INFINITY;

test('streams: the number per owner is limited; an ended stream frees a slot', () => {
  const streams = new Streams();
  const open = Array.from({ length: 32 }, () => streams.begin('ada', FOREVER));
  assert.throws(
    () => streams.begin('ada', FOREVER),
    (error) => error instanceof UploadError && error.code === 'rate_limited',
  );
  streams.begin('bob', FOREVER);
  assert.equal(streams.count, 33);
  open[7]?.abort();
  open[7]?.abort();
  assert.equal(streams.count, 32);
  streams.begin('ada', FOREVER);
  streams.endAll();
  assert.equal(streams.count, 0);
  assert.ok(open.every(({ signal }) => signal.aborted));
});

test('streams: a stream ends with its token, and an ended stream leaves no timer', async () => {
  const streams = new Streams();
  const { signal } = streams.begin('ada', Date.now() + 5);
  await once(signal, 'abort');
  assert.equal(streams.count, 0);
  streams.begin('ada', FOREVER).abort();
});
