/** Requests in two chunks, split at every byte: the fast path gives the answer of the standard path to the whole request. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAgreement, type Course, describe } from './compare.ts';
import { Client, MARKER, talk } from './dialogue.ts';
import { type Place, startPair } from './pair.ts';
import { printPart } from './request.ts';

const pair = await startPair();
after(() => pair.discard());

/** Connections at a time. */
const BATCH = 48;
const LENGTH = 'Content-Length: 5\r\n';
const PLAIN = printPart(LENGTH);

const REQUESTS: Readonly<Record<string, string>> = {
  'a plain part': PLAIN,
  'a part with Expect': printPart(`${LENGTH}Expect: 100-continue\r\n`),
  'a part that closes': printPart(`${LENGTH}Connection: close\r\n`),
  'two parts': PLAIN + PLAIN,
  'a part that is too long, then a plain one': printPart('Content-Length: 7\r\n', '\r\n\r\nPUT') + PLAIN,
  'a part with two lengths': printPart(LENGTH + LENGTH),
  'a part in chunks': printPart('Transfer-Encoding: chunked\r\n', '5\r\n12345\r\n0\r\n\r\n'),
  'a part with a length, in chunks': printPart(`${LENGTH}Transfer-Encoding: chunked\r\n`, '5\r\n12345\r\n0\r\n\r\n'),
  'a part after blank lines': `\r\n\r\n${PLAIN}`,
};

for (const [what, bytes] of Object.entries(REQUESTS)) {
  test(`splits: ${what}, split at every byte`, async () => {
    const whole = await assertAgreement(pair, [bytes, MARKER]);
    const text = pair.fast.fill(bytes);
    for (let at = 1; at < text.length; at += BATCH) {
      const cuts = Array.from({ length: Math.min(BATCH, text.length - at) }, (_, index) => at + index);
      const courses = await sendCut(pair.fast, text, cuts);
      for (const [index, course] of courses.entries()) {
        const first = text.slice(0, cuts[index]);
        assert.deepEqual({ first, ...course }, { first, ...whole });
      }
    }
  });
}

/** One connection for each cut. No second piece is sent before the server has read all first ones. */
async function sendCut(place: Place, text: string, cuts: readonly number[]): Promise<Course[]> {
  const clients = await Promise.all(cuts.map(() => Client.open(place.url)));
  for (const [index, client] of clients.entries()) client.send(text.slice(0, cuts[index]));
  await place.call('GET', '/healthz');
  return await Promise.all(
    clients.map(async (client, index) => describe(place, await talk(client, [text.slice(cuts[index]), MARKER]))),
  );
}
