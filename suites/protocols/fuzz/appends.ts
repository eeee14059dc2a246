/** Appends at right and wrong offsets, cut off, covered by right and wrong digests: no 5xx, and no wrong byte. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { bytesOf } from '../tus/tus-check.ts';
import type { Append, Cover, ProtocolClient } from './protocol-client.ts';

const LENGTH_BYTES = 300_000;
const CONTENT = bytesOf(LENGTH_BYTES, 7);
/** Bytes of a connection that was cut can come for so long. */
const SETTLED_MS = 100;

interface Step {
  /** From the true offset; 0 in most steps. */
  readonly shift: number;
  readonly length: number;
  readonly cover: Cover;
  readonly chunked: boolean;
  /** Share of the bytes after which the connection is cut; null: it is not. */
  readonly cutAt: number | null;
}

const step: fc.Arbitrary<Step> = fc.record({
  shift: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -LENGTH_BYTES, max: LENGTH_BYTES }) },
  ),
  length: fc.oneof(fc.constantFrom(0, 1, 65_536), fc.integer({ min: 0, max: 120_000 })),
  cover: fc.constantFrom<Cover>('none', 'none', 'none', 'right', 'wrong', 'garbage'),
  chunked: fc.boolean(),
  cutAt: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  ),
});

/** @throws Error with the steps that show what is wrong. */
export async function fuzzAppends(client: ProtocolClient, runs: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
    const url = await client.create(LENGTH_BYTES);
    let offset = 0;
    for (const each of steps) offset = await take(client, url, offset, each);
    while (offset < LENGTH_BYTES) {
      const bytes = CONTENT.subarray(offset);
      const answer = await client.append(url, { offset, bytes, cover: 'none', chunked: false, cutAfter: null });
      assert.ok(answer && answer.status < 300, `the rest at ${offset} was answered ${answer?.status} ${answer?.body}`);
      offset = LENGTH_BYTES;
    }
    await client.finish(url, LENGTH_BYTES);
    assert.ok(CONTENT.equals(await client.read(url)), 'the file has other bytes');
  });
  await fc.assert(property, { numRuns: runs, seed });
}

/** @returns the offset afterwards, which the server says, and which the answers imply. */
async function take(client: ProtocolClient, url: string, offset: number, step: Step): Promise<number> {
  const at = Math.max(0, Math.min(LENGTH_BYTES, offset + step.shift));
  // What is sent at a wrong offset has wrong bytes: they would show.
  const bytes =
    at === offset ? CONTENT.subarray(at, at + step.length) : bytesOf(Math.min(step.length, LENGTH_BYTES - at), 99);
  const isCut = step.cutAt !== null && bytes.length > 1;
  const cutAfter = isCut ? Math.floor((bytes.length - 1) * (step.cutAt ?? 0)) : null;
  // A digest of another length than the body is known at once; the body of a cut request has none.
  const append: Append = { offset: at, bytes, cover: step.cover, chunked: step.chunked && !isCut, cutAfter };
  const answer = await client.append(url, append);
  if (answer === null) await sleep(SETTLED_MS);
  const head = await client.head(url);
  assert.ok(head.status < 300, `HEAD was answered ${head.status}`);
  const after = Number(head.headers['upload-offset']);
  const what = JSON.stringify({ ...append, bytes: bytes.length });
  if (answer === null) {
    const most = at === offset && step.cover === 'none' ? offset + (cutAfter ?? 0) : offset;
    assert.ok(after >= offset && after <= most, `${what}: the offset is ${after}, and was ${offset}`);
    return after;
  }
  assert.ok(answer.status < 500, `${what} was answered ${answer.status} ${answer.body}`);
  const isTaken = answer.status < 300;
  const mayBeTaken = at === offset && (step.cover === 'none' || step.cover === 'right' || isIgnored(client, step));
  assert.ok(!isTaken || mayBeTaken, `${what} at ${offset} was answered ${answer.status}`);
  assert.ok(isTaken || at !== offset || step.cover !== 'none', `${what} was answered ${answer.status} ${answer.body}`);
  assert.equal(after, isTaken ? offset + bytes.length : offset, what);
  return after;
}

/** A Content-Digest that does not parse is none (RFC 9530). */
function isIgnored(client: ProtocolClient, { cover }: Step): boolean {
  return cover === 'garbage' && client.name !== 'tus';
}
