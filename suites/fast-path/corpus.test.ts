/** Unusual requests: both paths give the same answers, and the same state of the connection. */
import { after, suite, test } from 'node:test';
import { assertAgreement } from './compare.ts';
import { CORPUS } from './corpus.ts';
import { MARKER } from './dialogue.ts';
import { startPair } from './pair.ts';

const pair = await startPair();
after(() => pair.discard());

for (const [kind, requests] of Object.entries(CORPUS)) {
  suite(`corpus: ${kind}`, { concurrency: 24 }, () => {
    for (const [what, bytes] of Object.entries(requests)) {
      test(`${what}: answered, then followed`, async () => {
        await assertAgreement(pair, [bytes, MARKER]);
      });
      test(`${what}: followed at once`, async () => {
        await assertAgreement(pair, [bytes + MARKER]);
      });
    }
  });
}
