import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartBody } from './part-body.ts';

const LARGE = [Buffer.alloc(1024 * 1024)];

test('part body: a writer waits while nobody reads, and no longer once the body is destroyed', async () => {
  const body = new PartBody();
  const waiting = body.write(LARGE);
  assert.ok(waiting);
  body.destroy();
  await waiting;
  assert.equal(body.write(LARGE), undefined);
});

test('part body: what was written is read in its order', async () => {
  const body = new PartBody();
  const writing = (async () => {
    for (const text of ['a', 'b', 'c']) await body.write([Buffer.alloc(600 * 1024, text)]);
    body.end([Buffer.from('d')]);
  })();
  const read = Buffer.concat((await body.toArray()) as Buffer[]).toString();
  await writing;
  assert.match(read, /^a{614400}b{614400}c{614400}d$/);
});
