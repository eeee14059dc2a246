/** Any order of right, wrong and cut appends of IETF resumable uploads: no 5xx, no wrong byte, no offset that goes back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import {
  assertPublished,
  type Headers,
  PARTIAL_UPLOAD,
  pathOf,
  type Send,
  sendAs,
  versionHeader,
} from '../contract/resumable/client.ts';
import { digestHeader, makeMrc } from '../contract/sample.ts';
import { Connection, printHead } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

/** With small parts, so that appends cross their borders. */
const server = await startServer({ CRYOLIFT_PART_SIZE: '64KiB' });
after(() => server.discard());
const RUNS = 40;
const MAX_BYTES = 300_000;

const step = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    bytes: fc.nat(150_000),
    isChunked: fc.boolean(),
    digest: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('damaged' as const), bytes: fc.integer({ min: 1, max: 150_000 }) }),
  fc.record({
    kind: fc.constant('cut' as const),
    bytes: fc.nat(150_000),
    sent: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('stale' as const), bytes: fc.integer({ min: 1, max: 150_000 }) }),
  fc.record({ kind: fc.constant('elsewhere' as const), offset: fc.nat(2 * MAX_BYTES) }),
  fc.record({
    kind: fc.constant('head' as const),
    name: fc.constantFrom('upload-offset', 'upload-complete', 'upload-length', 'content-digest', 'content-type'),
    value: fc.oneof(
      fc.constantFrom('', '-1', '0.0', '?2', '?', ':', '1000000000000000', 'sha-256=:=:', ';', '1;', '(0 1)', '"a"'),
      // A value that means something would change the upload.
      fc
        .string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) })
        .filter((value) => !/^(\d|\?[01])/.test(value)),
    ),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Sender {
  readonly send: Send;
  readonly headers: Headers;
  readonly path: string;
  readonly bytes: Buffer;
}

function appendAt(offset: number, more: Headers = {}): Headers {
  return { 'content-type': PARTIAL_UPLOAD, 'upload-offset': String(offset), 'upload-complete': '?0', ...more };
}

async function offsetOf({ send, path }: Sender): Promise<number> {
  const { final } = await send('HEAD', path);
  assert.equal(final.status, 204);
  return Number(final.headers['upload-offset']);
}

function chunksOf(body: Buffer): Buffer {
  const size = `${body.length.toString(16)}\r\n`;
  return Buffer.concat([
    ...(body.length > 0 ? [Buffer.from(size), body, Buffer.from('\r\n')] : []),
    Buffer.from('0\r\n\r\n'),
  ]);
}

/** @returns a connection on which an append has begun and not ended. */
async function begin({ headers, path }: Sender, offset: number, announced: number, sent: Buffer): Promise<Connection> {
  const connection = await Connection.open(server.url);
  connection.send(
    printHead('PATCH', path, { ...headers, ...appendAt(offset, { 'content-length': String(announced) }) }),
  );
  if (sent.length > 0) connection.send(sent);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return connection;
}

/** Does one step at `offset`. @returns the least offset that the upload must have after it. */
async function take(sender: Sender, offset: number, taken: Step): Promise<number> {
  const { send, path, bytes } = sender;
  const at = (count: number) => bytes.subarray(offset, Math.min(offset + count, bytes.length));
  switch (taken.kind) {
    case 'append': {
      const body = at(taken.bytes);
      const digest = taken.digest ? { 'content-digest': digestHeader(body) } : {};
      const framing = taken.isChunked ? { 'transfer-encoding': 'chunked' } : {};
      const sent = taken.isChunked ? chunksOf(body) : body;
      const { final } = await send('PATCH', path, appendAt(offset, { ...digest, ...framing }), sent);
      assert.equal(final.status, 204, final.body.toString());
      assert.equal(final.headers['upload-offset'], String(offset + body.length));
      return offset + body.length;
    }
    case 'damaged': {
      const wrong = { 'content-digest': digestHeader(Buffer.from('other')) };
      const { final } = await send('PATCH', path, appendAt(offset, wrong), at(taken.bytes));
      assert.equal(final.status, 422);
      return offset;
    }
    case 'cut': {
      const body = at(taken.bytes);
      const connection = await begin(
        sender,
        offset,
        body.length,
        body.subarray(0, Math.floor(body.length * taken.sent)),
      );
      connection.close();
      return offset;
    }
    case 'stale': {
      const connection = await begin(sender, offset, at(taken.bytes).length, at(taken.bytes).subarray(0, -1));
      const reached = await offsetOf(sender);
      connection.close();
      return reached;
    }
    case 'elsewhere': {
      if (taken.offset === offset) return offset;
      const { final } = await send('PATCH', path, appendAt(taken.offset), Buffer.alloc(100));
      assert.equal(final.status, 409);
      return offset;
    }
    case 'head': {
      const { final } = await send('PATCH', path, { ...appendAt(offset), [taken.name]: taken.value });
      assert.ok(final.status < 500, `${final.status} ${final.body}`);
      return offset;
    }
  }
}

test('resumable appends: in any order, right, wrong and cut, the file is right', async () => {
  const steps = fc.array(step, { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 2_000, max: MAX_BYTES }), fc.boolean(), async (all, size, isKnown) => {
      const bytes = makeMrc(size);
      const sub = `fuzz-${Math.random()}`;
      const send = sendAs(server, 8, { sub });
      const length = isKnown ? { 'upload-length': String(size) } : {};
      const { final } = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0', ...length });
      const headers = { authorization: `Bearer ${server.token({ sub })}`, ...versionHeader(8) };
      const sender: Sender = { send, headers, path: pathOf(final.headers.location), bytes };
      let offset = 0;
      for (const each of all) {
        const least = await take(sender, offset, each);
        const reached = await offsetOf(sender);
        assert.ok(reached >= least && reached <= size, `${reached} after ${offset} and ${JSON.stringify(each)}`);
        offset = reached;
      }
      const rest = appendAt(offset, { 'upload-complete': '?1' });
      await assertPublished(send, await send('PATCH', sender.path, rest, bytes.subarray(offset)), bytes);
    }),
    { numRuns: RUNS },
  );
});
