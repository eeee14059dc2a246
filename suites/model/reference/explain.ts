/**
 * Finds how the model explains answers: one call after the other. Of calls that ran at once, any order will do, and what
 * the documentation allows such calls beside it.
 */

import { isDeepStrictEqual } from 'node:util';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { AppendRequest, Request } from '../requests.ts';
import { type Answer, differences, type Expected } from './expected.ts';
import { copyModel, type Model, offsetOf } from './model.ts';
import { predict, predictSweep } from './predict.ts';
import { appendBytes } from './predict-append.ts';

/** A request that was answered. */
export interface Done {
  readonly server: number;
  readonly request: Request;
  readonly answer: Answer;
}

/** Changes the model. @returns a line for each difference. */
type Step = (model: Model) => string[];

export interface Explanation {
  /** Every way to explain all answers: they may differ in bytes that no answer has told yet. */
  readonly models: readonly [Model, ...Model[]];
  /** Empty: there is one. */
  readonly faults: readonly string[];
}

/** So many ways are kept. */
const MOST = 8;

/**
 * @param models which one it is, is not known. @param done that ran at once.
 * @param seen what was asked afterwards, one after the other.
 * @param mayHaveSwept the servers may have done their housekeeping before.
 */
export function explain(
  models: readonly [Model, ...Model[]],
  done: readonly Done[],
  seen: readonly Done[],
  mayHaveSwept: boolean,
): Explanation {
  const [first] = models;
  const looks = seen.map((each) => stepOf(each));
  const orders = ordersOf(first, done, seen);
  const sweeps: Step[] = first.servers.map((_, server) => (now) => {
    predictSweep(now, server);
    return [];
  });
  const candidates = mayHaveSwept ? [...orders, ...orders.map((steps) => [...sweeps, ...steps])] : orders;
  const found: Model[] = [];
  let best: Explanation | null = null;
  for (const model of models) {
    for (const steps of candidates) {
      const copy = copyModel(model);
      const faults = [...steps, ...looks].flatMap((step) => step(copy));
      if (faults.length === 0 && !found.some((other) => isDeepStrictEqual(other, copy))) found.push(copy);
      // One call has one explanation.
      if (faults.length === 0 && done.length === 1) break;
      if (!best || faults.length < best.faults.length) best = { models: [copy], faults };
    }
  }
  const [one, ...others] = found;
  return one ? { models: [one, ...others.slice(0, MOST)], faults: [] } : (best as Explanation);
}

/** @param others that ran at the same time. */
function stepOf({ server, request, answer }: Done, others: readonly Done[] = []): Step {
  return (model) => {
    const expected = predict(model, server, request, answer);
    const found = differences(others.length > 0 ? loosen(request, expected) : expected, answer);
    if (found.length === 0 || others.some((other) => isAllowed(request, other.request, expected, answer))) return [];
    return found.map((fault) => `${request.kind}: ${fault}`);
  };
}

/** What an answer tells of the upload may be how the others have left it. */
function loosen({ kind }: Request, expected: Expected): Expected {
  const { status, fields: { part, sha256, deduplicated } = {} } = expected;
  if (kind === 'sweep' || kind === 'show') return { status };
  return kind === 'part' && status === 200 ? { status, fields: { part, sha256, deduplicated } } : expected;
}

/** What a call may answer because of another one at the same time. */
function isAllowed(request: Request, other: Request, expected: Expected, { status, headers, body }: Answer): boolean {
  switch (request.kind) {
    case 'part':
      // Page 7: without a digest, the bytes that a newer request has replaced cannot be compared.
      return request.sha256 === null && expected.status === 200 && body?.code === 'part_conflict';
    case 'complete':
      // Both wait for the same verification.
      return other.kind === 'complete' && expected.code === 'upload_closed' && body?.code === 'file_checksum_mismatch';
    case 'terminate':
      // Both began before the upload had ended, or before its file was deleted.
      return (
        ['terminate', 'cancel'].includes(other.kind) &&
        expected.code === 'upload_closed' &&
        (status === 204 || body?.code === 'file_not_found')
      );
    case 'append':
      // The newer one is under way, so that no offset is right for long.
      return isSuperseded(expected.code, body?.code, headers);
    default:
      return false;
  }
}

function isSuperseded(expected: unknown, received: unknown, headers: Answer['headers']): boolean {
  return expected === 'offset_mismatch' && received === expected && headers['upload-offset'] === undefined;
}

function ordersOf(model: Model, done: readonly Done[], seen: readonly Done[]): Step[][] {
  const orders = permutationsOf(done);
  const plain = orders.map((order) =>
    order.map((each) =>
      stepOf(
        each,
        done.filter((other) => other !== each),
      ),
    ),
  );
  const pairs = orders.flatMap(([a, b, ...more]) => (a && b && more.length === 0 ? [[a, b] as const] : []));
  return [
    ...plain,
    ...cancelRefused(done),
    ...pairs.flatMap(([a, b]) => appendCut(a, b, seen)),
    ...pairs.flatMap(([a, b]) => appendSplit(model, a, b)),
  ];
}

function permutationsOf<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((first, at) => permutationsOf(items.toSpliced(at, 1)).map((rest) => [first, ...rest]));
}

/** While an upload is verified it cannot be cancelled, also when it fails then. */
function cancelRefused(done: readonly Done[]): Step[][] {
  const isRefused = ({ request, answer }: Done) => request.kind === 'cancel' && answer.body?.code === 'upload_closed';
  const others = done.filter((each) => !isRefused(each));
  const isVerified = others.some(({ request }) => request.kind === 'complete' || request.kind === 'append');
  if (others.length === done.length || !isVerified) return [];
  return permutationsOf(others).map((order) => order.map((each) => stepOf(each, done)));
}

/** An append that another request has ended keeps some of its bytes, or none. */
function appendCut(cut: Done, other: Done, seen: readonly Done[]): Step[][] {
  const { request, answer } = cut;
  if (request.kind !== 'append' || answer.status < 400) return [];
  // Before a byte of it was kept.
  const none = isSuperseded('offset_mismatch', answer.body?.code, answer.headers) ? [[stepOf(other, [cut])]] : [];
  if (request.checksum === 'wrong') return none;
  const told = seen.flatMap(({ answer: { headers, body } }) => [headers['upload-offset'], body?.received_bytes]);
  const ends = [...told, ...(other.request.kind === 'append' ? [other.request.offset] : [])];
  const lengths = new Set(ends.filter((end) => end !== undefined).map((end) => Number(end) - request.offset));
  const some = [...lengths]
    .filter((length) => length > 0 && length <= request.length)
    // With a checksum all bytes count, or none.
    .filter((length) => request.checksum === 'none' || length === request.length)
    .flatMap((length) => [
      [keep(request, length), stepOf(other, [cut])],
      [stepOf(other, [cut]), keep(request, length)],
    ]);
  return [...none, ...some];
}

/** An append records part after part, and another call may come between. */
function appendSplit({ limits }: Model, append: Done, other: Done): Step[][] {
  const { request } = append;
  if (request.kind !== 'append' || request.checksum !== 'none') return [];
  const { offset, length } = request;
  const candidates: Step[][] = [];
  const firstBorder = (Math.floor(offset / limits.partBytes) + 1) * limits.partBytes;
  for (let border = firstBorder; border < offset + length; border += limits.partBytes) {
    const rest = { ...request, offset: border, length: offset + length - border };
    candidates.push([
      keep(request, border - offset),
      stepOf(other, [append]),
      stepOf({ ...append, request: rest }, [other]),
    ]);
  }
  return candidates;
}

/** The first bytes of the body count. */
function keep(request: AppendRequest, length: number): Step {
  return (model) => {
    const upload = model.uploads.get(request.uploadId);
    const isOpen = upload !== undefined && OPEN_STATES.includes(upload.state);
    if (!isOpen || offsetOf(upload) !== request.offset) return ['append: no bytes of it can have been kept'];
    appendBytes(model, upload, request, length);
    return [];
  };
}
