/**
 * Requests with random damage, some in two chunks: both paths give the same answers. CRYOLIFT_FUZZ_RUNS is the approximate
 * number of requests (1,000), and CRYOLIFT_TEST_SEED repeats a run.
 */
import { after, test } from 'node:test';
import fc from 'fast-check';
import { assertAgreement, assertAgreementCut } from './compare.ts';
import { MARKER } from './dialogue.ts';
import { startPair, TOKEN, UPLOAD } from './pair.ts';
import { printPart } from './request.ts';

const RUNS = Number(process.env.CRYOLIFT_FUZZ_RUNS ?? 1000);
const SEED = Number(process.env.CRYOLIFT_TEST_SEED ?? Date.now() % 2 ** 31);
/** Requests of one run, which go at once. */
const AT_ONCE = 20;
/** Then shrinking ends, at the latest. */
const TIME_MS = 60_000 + 100 * RUNS;

const pair = await startPair();
after(() => pair.discard());

const LENGTH = 'Content-Length: 5\r\n';
const CHUNKS = '5\r\n12345\r\n0\r\n\r\n';
/** Of an upload that is not there, and of a file that is not accepted: the body is never wanted, and nothing changes. */
const APPEND = 'PATCH /resumable/uploads/none HTTP/1.1';
const APPEND_FIELDS = 'Content-Type: application/partial-upload\r\nUpload-Offset: 0\r\nUpload-Complete: ?1\r\n';
const CREATION = 'POST /resumable/a.exe HTTP/1.1';
const WHOLE = [
  printPart(`${APPEND_FIELDS}${LENGTH}`, '12345', APPEND),
  printPart(`${APPEND_FIELDS}Transfer-Encoding: chunked\r\n`, CHUNKS, APPEND),
  printPart(`Upload-Complete: ?1\r\nUpload-Draft-Interop-Version: 8\r\n${LENGTH}`, '12345', CREATION),
  printPart(LENGTH),
  printPart(`Accept: a\r\n${LENGTH}Connection: keep-alive\r\n`),
  printPart(`Expect: 100-continue\r\n${LENGTH}`),
  printPart(`${LENGTH}Connection: close\r\n`),
  printPart('Transfer-Encoding: chunked\r\n', CHUNKS),
  printPart(`Content-Length: ${MARKER.length}\r\n`, MARKER.replace('the-marker', 'swallowed!')),
  printPart(LENGTH) + printPart(LENGTH),
  `GET /uploads/${UPLOAD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
  `GET /healthz HTTP/1.1\r\nHost: x\r\n${LENGTH}\r\n12345${printPart(LENGTH)}`,
];
const TOKENS = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '/',
  '%',
  '?',
  '#',
  '-',
  '+',
  '"',
  '\0',
  '\x7f',
  '\x80',
  '\xff',
  ...'0123456789abcdef',
  'Content-Length',
  LENGTH,
  'Content-Length: 6\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'chunked',
  'Transfer-Encoding',
  'identity',
  'Connection: close\r\n',
  'Connection',
  'Expect: 100-continue\r\n',
  'Upgrade: h2c\r\n',
  'Trailer: a\r\n',
  'HTTP/1.0',
  'HTTP/1.1',
  'http/1.1',
  'PUT ',
  'GET ',
  'Host: x\r\n',
  '\r\n ',
  ' :',
  'x'.repeat(9000),
];

/** A place in the request, as a share of its length: near the same one when the request is shrunk. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const damage = fc.oneof(
  fc.record({ at: place, cut: fc.constant(0), put: fc.constantFrom(...TOKENS) }),
  fc.record({ at: place, cut: fc.integer({ min: 1, max: 4 }), put: fc.constantFrom('', ...TOKENS) }),
  fc.record({ at: place, line: fc.constantFrom('doubled', 'moved up', 'dropped') }),
);
const request = fc
  .tuple(
    fc.constantFrom(...WHOLE),
    fc.array(damage, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    fc.constantFrom(null, 'head' as const, 0.5).chain((cut) => (cut === 0.5 ? place : fc.constant(cut))),
  )
  .map(([whole, damages, followedAtOnce, cut]) => {
    const bytes = damages.reduce(apply, whole);
    return { pieces: followedAtOnce ? [bytes + MARKER] : [bytes, MARKER], cut };
  });

type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function apply(bytes: string, done: Damage): string {
  if ('cut' in done) {
    const at = Math.round(done.at * bytes.length);
    return bytes.slice(0, at) + done.put + bytes.slice(at + done.cut);
  }
  const lines = bytes.split('\r\n');
  const at = Math.floor(done.at * (lines.length - 1));
  const line = lines[at] as string;
  if (done.line === 'doubled') lines.splice(at, 0, line);
  else lines.splice(at, 1);
  if (done.line === 'moved up') lines.splice(Math.max(0, at - 1), 0, line);
  return lines.join('\r\n');
}

test('fuzz: both paths agree on damaged requests', { timeout: Number.POSITIVE_INFINITY }, async (t) => {
  t.diagnostic(`CRYOLIFT_TEST_SEED=${SEED}`);
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: AT_ONCE, size: 'max' }), async (requests) => {
      await Promise.all(
        requests.map(({ pieces, cut }) =>
          cut === null ? assertAgreement(pair, pieces) : assertAgreementCut(pair, pieces, cut),
        ),
      );
    }),
    { seed: SEED, numRuns: Math.ceil((2 * RUNS) / AT_ONCE), interruptAfterTimeLimit: TIME_MS },
  );
});
