import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { PartBody } from './part-body.ts';

const LARGE = [Buffer.alloc(1024 * 1024)];

test('part body: a writer waits while nothing is sent, and no longer once the body is destroyed', async () => {
  const body = new PartBody();
  const waiting = body.write(LARGE);
  assert.ok(waiting);
  body.destroy();
  await waiting;
  assert.equal(body.write(LARGE), undefined);
});

test('part body: what was written before and after there is a request is sent in its order', async () => {
  const body = new PartBody();
  const writing = (async () => {
    for (const text of ['a', 'b', 'c']) await body.write([Buffer.alloc(600 * 1024, text)]);
    body.end([Buffer.from('d')]);
  })();
  const sent = (await buffer(body.pipe(new PassThrough()))).toString();
  await writing;
  assert.match(sent, /^a{614400}b{614400}c{614400}d$/);
});

test('part body: memory is free when it was sent, and not after an error', async () => {
  const waiting: ((error?: Error) => void)[] = [];
  const target = new Writable({ write: (_bytes, _encoding, done) => void waiting.push(done) });
  target.on('error', () => {});
  const body = new PartBody();
  const sent: string[] = [];
  body.pipe(target);
  body.write([Buffer.from('head'), Buffer.from('first')], () => sent.push('first'));
  body.write([Buffer.from('second')], () => sent.push('second'));
  const sendNext = async (error?: Error) => {
    waiting.shift()?.(error);
    await new Promise(setImmediate);
  };
  await sendNext();
  assert.deepEqual(sent, []);
  await sendNext();
  assert.deepEqual(sent, ['first']);
  await sendNext(new Error('the connection was lost'));
  assert.deepEqual(sent, ['first']);
});
