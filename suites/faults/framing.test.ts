import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Framing } from './framing.ts';

const HEAD = 'PUT /uploads/a/part/0 HTTP/1.1\r\nContent-Length: 5\r\n\r\n';
const BARE = 'GET /limits HTTP/1.1\r\nhost: here\r\n\r\n';
const INTERIM = 'HTTP/1.1 100 Continue\r\n\r\n';
const ANSWER = 'HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n';

/** For every byte: `h` or `b` and the number of its message. */
function mark(text: string, cuts: readonly number[]): string[] {
  const framing = new Framing();
  const bytes = Buffer.from(text, 'latin1');
  const edges = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b);
  return edges.slice(1).flatMap((edge, nth) => {
    const stretches = [...framing.stretches(bytes.subarray(edges[nth], edge))];
    return stretches.flatMap(({ piece, start, end, message }) =>
      Array<string>(end - start).fill(`${piece[0]}${message}`),
    );
  });
}

const all = (text: string, sign: string) => Array<string>(text.length).fill(sign);

test('framing: every byte is of a head or of a body, however the stream is cut into chunks', () => {
  const requests = [...all(HEAD, 'h0'), ...all('12345', 'b0'), ...all(BARE, 'h1'), ...all(HEAD, 'h2')];
  const answers = [...all(INTERIM, 'h0'), ...all(ANSWER, 'h0'), ...all('{}', 'b0'), ...all(ANSWER, 'h1')];
  fc.assert(
    fc.property(fc.array(fc.nat()), (cuts) => {
      assert.deepEqual(mark(`${HEAD}12345${BARE}${HEAD}`, cuts), requests);
      assert.deepEqual(mark(`${INTERIM}${ANSWER}{}${ANSWER}`, cuts), answers);
    }),
  );
});
