/**
 * Checks whether proxies pass on bodies while they arrive, and large bodies. The server stores nothing of these
 * requests.
 */
import { randomUUID } from 'node:crypto';
import type { Limits } from '@cryolift/protocol/messages';
import { planParts } from '@cryolift/protocol/plan';
import { formatBytes } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { type Answer, type Exchange, readFailure, type Wire } from './wire.ts';

/** Some proxies pass the head on only together with the first few KiB of the body. */
const FIRST_BYTES = 128 * 1024;
/**
 * Then in small steps: Go's server (Caddy, Traefik) passes an early answer on only with the next bytes of the body ...
 */
const PIECE_BYTES = 8 * 1024;
const PIECES = 16;
/** ... and not while it waits for the last 256 KiB. The total is less than nginx's default limit of 1 MiB. */
const REST_BYTES = 512 * 1024;
const OCTETS = { 'content-type': 'application/octet-stream' };

/** Without it nginx closes each connection to the server, often before it has read an early answer. */
const NGINX_UPSTREAM = 'proxy_http_version 1.1; proxy_set_header Connection "";';

export interface Passage {
  readonly wire: Wire;
  /** Valid or not: the server refuses these requests anyway. */
  readonly authorization: string;
  /** How long to wait for an answer that should come at once, milliseconds. */
  readonly retryForMs: number;
}

/**
 * The server refuses a part of an unknown upload at once, while the body is still being sent. When the refusal arrives
 * only after the end of the body, a proxy has buffered the body.
 */
export async function checkBuffering(passage: Passage): Promise<Finding> {
  const exchange = beginLostPart(passage, FIRST_BYTES + PIECES * PIECE_BYTES + REST_BYTES);
  await exchange.send(new Uint8Array(FIRST_BYTES));
  let early: Answer | null = null;
  for (let piece = 0; piece < PIECES && !early; piece++) {
    early = await exchange.answerWithin(passage.retryForMs / PIECES);
    await exchange.send(new Uint8Array(PIECE_BYTES));
  }
  if (early && readFailure(early)) {
    return ok('buffering', 'bodies are passed on while they arrive: a wrong request is refused before its end');
  }
  const answer = early ?? (await exchange.finish(new Uint8Array(REST_BYTES)));
  if (readFailure(answer)) {
    return fail(
      'buffering',
      'a proxy buffers each request before it passes it on: slow, twice the disk space, and its time-outs end long parts',
      `nginx: \`proxy_request_buffering off; client_max_body_size 0; ${NGINX_UPSTREAM}\` in the location of Cryolift. Caddy needs no setting.`,
    );
  }
  if (early && early.status >= 500) {
    return warn(
      'buffering',
      `bodies are passed on while they arrive, but a refusal before their end becomes a ${early.status} of the proxy`,
      `Let the proxy keep its connections to the server, so that an early answer is read: nginx: \`${NGINX_UPSTREAM}\`.`,
    );
  }
  return fail(
    'buffering',
    `a proxy refuses a part: ${answer.status} from ${answer.headers.server ?? 'the proxy'}`,
    'Let the proxy pass PUT requests to Cryolift on unchanged.',
  );
}

/**
 * Checks whether parts can have the size that the largest files of this server need. The head of a request is enough to
 * find a limit.
 */
export async function checkBodyLimit(passage: Passage, limits: Limits): Promise<Finding> {
  const { max_file_size, min_part_size, part_size, max_part_size } = limits;
  const plan = { partSizeBytes: part_size, minPartSizeBytes: min_part_size, maxPartSizeBytes: max_part_size };
  const largest = planParts(max_file_size, plan).partSizeBytes;
  const mend = 'nginx: `client_max_body_size 0;`. Other proxies: raise or remove their limit on the size of requests.';
  const [isDefaultCapped, isLargestCapped] = await Promise.all([
    isCapped(passage, part_size),
    isCapped(passage, largest),
  ]);
  if (isDefaultCapped) return fail('body_limit', `a proxy refuses parts of ${formatBytes(part_size)}`, mend);
  if (isLargestCapped) {
    const found = `a proxy refuses parts of ${formatBytes(largest)}, which the largest files need`;
    return warn('body_limit', found, mend);
  }
  return ok('body_limit', `no limit on parts up to ${formatBytes(largest)}`);
}

async function isCapped(passage: Passage, sizeBytes: number): Promise<boolean> {
  const exchange = beginLostPart(passage, sizeBytes);
  try {
    await exchange.send(new Uint8Array(Math.min(FIRST_BYTES, sizeBytes)));
    const answer = await exchange.answerWithin(passage.retryForMs);
    return answer !== null && isForeignRefusal(answer);
  } finally {
    exchange.drop();
  }
}

/** Not 5xx, which says nothing about the size. */
function isForeignRefusal(answer: Answer): boolean {
  return answer.status >= 400 && answer.status < 500 && readFailure(answer) === null;
}

function beginLostPart({ wire, authorization }: Passage, sizeBytes: number): Exchange {
  const path = `/uploads/doctor-${randomUUID()}/part/0`;
  return wire.begin('PUT', path, { authorization, ...OCTETS, 'content-length': String(sizeBytes) });
}
