/** Sends parts, and checks what arrives at the server. */
import { randomUUID } from 'node:crypto';
import { formatBytes, formatSeconds } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { type Part, readReceipt, type Trial } from './trial.ts';
import { type Answer, readFailure } from './wire.ts';

/** Checks whether a part arrives unchanged. */
export async function checkBytes(trial: Trial, idx: number, part: Part): Promise<Finding> {
  const requestId = `doctor-${randomUUID()}`;
  const answer = await trial.begin(idx, part, { 'x-request-id': requestId }).finish(part.bytes);
  const receipt = readReceipt(answer);
  const isDamaged = receipt ? receipt.sha256 !== part.sha256 : readFailure(answer)?.code === 'part_checksum_mismatch';
  if (isDamaged) {
    return fail(
      'bytes',
      'bytes are changed in transit: the server received other bytes than were sent',
      'A proxy or a virus scanner rewrites bodies: exclude Cryolift from it, or use https.',
    );
  }
  if (!receipt) return notStored('bytes', answer);
  if (answer.headers['x-request-id'] === requestId) return ok('bytes', 'a part arrives as it was sent');
  return warn(
    'bytes',
    'a part arrives as it was sent, but under another X-Request-Id',
    'Let the proxy pass X-Request-Id on, both ways: it relates the logs of both sides.',
  );
}

function notStored(check: string, answer: Answer): Finding {
  const failure = readFailure(answer);
  if (failure) return fail(check, `a part is not stored: ${failure.code}: ${failure.message}`, failure.hint);
  const who = answer.headers.server ?? 'a proxy';
  return fail(check, `a part is not stored: ${who} answers ${answer.status}`, PASS);
}

const PASS = 'Let the proxy pass PUT requests to Cryolift on unchanged.';

/**
 * Checks whether the digest of a part reaches the server, by sending one that must be refused.
 *
 * @param idx a stored part.
 */
export async function checkDigest(trial: Trial, idx: number, part: Part): Promise<Finding> {
  const answer = await trial
    .begin(idx, part, { 'content-digest': 'md5=:AAAAAAAAAAAAAAAAAAAAAA==:' })
    .finish(part.bytes);
  if (readFailure(answer)?.code === 'unsupported_digest') return ok('digest', 'Content-Digest reaches the server');
  return fail(
    'digest',
    'Content-Digest does not reach the server: damage in transit is found only at the end of an upload',
    'Let the proxy pass the header Content-Digest on.',
  );
}

/**
 * Checks whether a body is sent only after `100 Continue`. @param idx of a stored part, whose body the server refuses.
 */
export async function checkExpect(trial: Trial, idx: number, part: Part, retryForMs: number): Promise<Finding> {
  const exchange = trial.begin(idx, part, { expect: '100-continue' });
  const continued = exchange.continued.then(() => 'continued' as const);
  const first = await Promise.race([exchange.answerWithin(retryForMs), continued]);
  const answer = first === 'continued' || first === null ? await exchange.finish(part.bytes) : first;
  if (!readReceipt(answer)) return notStored('expect', answer);
  if (first === 'continued' && answer.headers.server === 'Caddy') {
    return warn(
      'expect',
      'Caddy asks for each body before the server does, and then closes the connection when the server refuses the body',
      'Caddyfile: `expect_continue_timeout 10s` in `transport http` of `reverse_proxy`.',
    );
  }
  if (first === 'continued') {
    return ok(
      'expect',
      'a proxy asks for each body before the server does (nginx always does): this costs some bandwidth, uploads work',
    );
  }
  if (first === null) {
    return warn(
      'expect',
      'a proxy does not pass `Expect: 100-continue` on: a client that sends it waits for seconds before each body',
      'Let the proxy pass the header Expect on, or answer it.',
    );
  }
  return ok('expect', 'a part that is already stored is not sent again (Expect: 100-continue)');
}

/** Above this duration, the second measurement is skipped. */
const SLOW_SECONDS = 8;

/** Measures the speed of parts, over one connection and over several. @param idxs of parts that are not stored. */
export async function checkSpeed(trial: Trial, idxs: readonly number[], part: Part): Promise<Finding> {
  const [first = 0, ...others] = idxs;
  const alone = await time(trial, [first], part);
  if (typeof alone !== 'number') return alone;
  const size = part.bytes.length;
  const one = `${formatBytes(size / alone)}/s over one connection`;
  if (alone > SLOW_SECONDS) return ok('speed', one);
  const together = await time(trial, others, part);
  if (typeof together !== 'number') return together;
  return ok('speed', `${one}, ${formatBytes((size * others.length) / together)}/s over ${others.length}`);
}

/** @returns seconds, or the failure. */
async function time(trial: Trial, idxs: readonly number[], part: Part): Promise<number | Finding> {
  const startedMs = performance.now();
  const answers = await Promise.all(idxs.map((idx) => trial.begin(idx, part).finish(part.bytes)));
  const seconds = (performance.now() - startedMs) / 1000;
  const refused = answers.find((answer) => !readReceipt(answer));
  return refused ? notStored('speed', refused) : seconds;
}

/** Proxies limit the time between two chunks, or the time of the whole request. */
const PIECE_MS = 1000;

/**
 * Checks whether a part may take `seconds`, by sending it evenly over that time.
 *
 * @param idx a part that is not stored.
 */
export async function checkLongRequest(
  trial: Trial,
  idx: number,
  part: Part,
  seconds: number,
  signal: AbortSignal,
): Promise<Finding> {
  const mend =
    'Raise the time-outs of the proxy for requests: nginx `client_body_timeout`, `proxy_send_timeout` and `proxy_read_timeout`; HAProxy `timeout client`; Apache `RequestReadTimeout body=0`.';
  const startedMs = performance.now();
  const exchange = trial.begin(idx, part);
  const pieceBytes = Math.ceil((part.bytes.length * PIECE_MS) / (seconds * 1000));
  try {
    for (let at = 0; at < part.bytes.length; at += pieceBytes) {
      await exchange.send(part.bytes.subarray(at, at + pieceBytes));
      if (await exchange.answerWithin(PIECE_MS)) break;
    }
    const answer = await exchange.finish();
    if (readReceipt(answer)) return ok('long_request', `a part may take ${formatSeconds(seconds)}`);
    if (readFailure(answer)) return notStored('long_request', answer);
    return fail('long_request', `a part that takes long is answered ${after(startedMs)} (${answer.status})`, mend);
  } catch (error) {
    signal.throwIfAborted();
    return fail('long_request', `a part that takes long is interrupted ${after(startedMs)} (${nameOf(error)})`, mend);
  } finally {
    exchange.drop();
  }
}

function after(startedMs: number): string {
  return `after ${formatSeconds((performance.now() - startedMs) / 1000)}`;
}

function nameOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
