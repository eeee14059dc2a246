/** What the server does meanwhile: small uploads with each of their ends, downloads, pictures, a sweep. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MRC_HEADER_BYTES } from '@cryolift/mrc';
import { ERRORS, type ErrorCode } from '@cryolift/protocol/errors';
import type { Statistics } from '@cryolift/protocol/messages';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { Answer } from '../contract/answer.ts';
import { OFFSET_TYPE, printMetadata } from '../contract/tus/tus-client.ts';
import { GivenUp } from '../reliability/caller.ts';
import type { Entry, Ledger } from '../reliability/ledger.ts';
import { askTus, describeTus, type TusRequest } from '../reliability/tus-request.ts';
import {
  awaitJobs,
  cancelUpload,
  deleteFile,
  insist,
  openUpload,
  publish,
  readBack,
  readUpload,
  type Steps,
  sendPart,
} from '../reliability/upload-steps.ts';

const POLL_MS = 25;
const APPENDED_BYTES = 7000;
const PIECE_BYTES = 3000;

/** The uploads of one run, by what becomes of them. */
export interface Work {
  readonly owner: string;
  readonly published: Entry;
  readonly cancelled: Entry;
  readonly deleted: Entry;
  readonly appended: Entry;
}

/** @param owner whom no other run has. */
export function planWork(ledger: Ledger, owner: string, partSizeBytes: number): Work {
  const open = (name: string, sizeBytes: number, declares: 'init' | 'never', by: 'wire' | 'tus' = 'wire') =>
    ledger.open({ owner, filename: `${owner}-${name}`, sizeBytes, partSizeBytes, declares, by });
  return {
    owner,
    published: open('published.mrc', partSizeBytes + 1100, 'init'),
    cancelled: open('cancelled.dat', 2000, 'never'),
    deleted: open('deleted.dat', partSizeBytes + 100, 'never'),
    appended: open('appended.dat', APPENDED_BYTES, 'never', 'tus'),
  };
}

export function entriesOf({ published, cancelled, deleted, appended }: Work): Entry[] {
  return [published, cancelled, deleted, appended];
}

export async function runWork(steps: Steps, work: Work): Promise<void> {
  await publish(steps, work.published);
  await openUpload(steps, work.cancelled);
  await sendPart(steps, work.cancelled, work.cancelled.makeBytes(), 0, 'with digest');
  await cancelUpload(steps, work.cancelled);
  await publish(steps, work.deleted);
  await append(steps, work.appended);
  await settle(steps, work);
  await compareStatistics(steps, work.published);
  const { fileId } = work.published;
  await insist(steps, work.published, { method: 'GET', path: `/files/${fileId}/preview`, expected: ['200'] });
  await readBack(steps, work.published);
  await deleteFile(steps, work.deleted);
  const { caller, patienceMs, pass } = steps;
  // A step of it may have failed.
  await caller.insist('admin', null, { method: 'POST', path: '/admin/sweep', expected: ['200'] }, patienceMs, pass);
}

/** Of an MRC file of bytes, as makeContent makes it. */
async function compareStatistics(steps: Steps, entry: Entry): Promise<void> {
  const path = `/files/${entry.fileId}/statistics`;
  const { mean, signedness } = (
    await insist(steps, entry, { method: 'GET', path, expected: ['200'] })
  ).json<Statistics>();
  const voxels = entry.makeBytes().subarray(MRC_HEADER_BYTES);
  const toValue = (byte: number) => (signedness?.value === 'signed' && byte > 127 ? byte - 256 : byte);
  const expected = voxels.reduce((sum, byte) => sum + toValue(byte), 0) / voxels.length;
  if (Math.abs((mean ?? 0) - expected) > 1e-6) steps.ledger.noteFault(entry, `its mean is ${expected}, not ${mean}`);
}

/** Waits until the jobs of the files are done: a failed one is tried again later. */
export async function settle(steps: Steps, work: Work): Promise<void> {
  await awaitJobs(steps, entriesOf(work));
}

/**
 * As a client of tus does: asks for the offset after each refusal, and goes on there. The server completes the upload by
 * itself.
 */
export async function append(steps: Steps, entry: Entry): Promise<void> {
  const bytes = entry.makeBytes();
  if (!entry.upload) {
    const { filename, sizeBytes } = entry.plan;
    const headers = { 'upload-length': String(sizeBytes), 'upload-metadata': printMetadata({ filename }) };
    const request = { method: 'POST', path: '/tus', headers: { ...headers, 'content-length': '0' } } as const;
    const { location } = (await ask(steps, entry, request)).headers;
    entry.upload = await readUpload(steps, entry, location?.split('/').at(-1) ?? '');
  }
  const { upload_id } = entry.upload;
  for (const endMs = performance.now() + steps.patienceMs; ; await sleep(POLL_MS)) {
    const { status, file_id } = await readUpload(steps, entry, upload_id);
    if (status === 'completed' && file_id) return steps.ledger.noteCompleted(entry, file_id);
    if (performance.now() > endMs) return steps.ledger.noteFault(entry, `it is stuck: ${status}`);
    if (!OPEN_STATES.includes(status)) continue;
    const path = `/tus/${upload_id}`;
    const head = await ask(steps, entry, { method: 'HEAD', path });
    const offset = Number(head.headers['upload-offset']);
    if (offset === bytes.length) continue;
    const body = bytes.subarray(offset, offset + PIECE_BYTES);
    const headers = { 'content-type': OFFSET_TYPE, 'upload-offset': String(offset) };
    await ask(steps, entry, { method: 'PATCH', path, headers, body });
  }
}

const EXPECTED: Readonly<Record<TusRequest['method'], readonly string[]>> = {
  POST: ['201'],
  HEAD: ['200'],
  // A refused request may have stored some of its bytes.
  PATCH: ['204', '409 offset_mismatch'],
};

async function ask(steps: Steps, entry: Entry, request: TusRequest): Promise<Answer> {
  const { ledger, patienceMs, weather } = steps;
  const { method, path } = request;
  const isExpected = (answer: Answer) => EXPECTED[method].includes(describeTus(answer));
  const isTrouble = ({ status }: Answer) => weather.troubles.some((code) => status === statusOf(code, method));
  for (const endMs = performance.now() + patienceMs; performance.now() < endMs; await sleep(POLL_MS)) {
    const answer = await askTus(steps, entry, request, (each) => isExpected(each) || isTrouble(each));
    // A body is not sent again without asking for the offset.
    if (answer && (isExpected(answer) || method === 'PATCH')) return answer;
  }
  ledger.noteFault(entry, `${method} ${path} was not answered as expected in ${patienceMs} ms`);
  throw new GivenUp('stuck');
}

/** Clients of tus try again after 423 (decision 84). */
function statusOf(code: ErrorCode, method: TusRequest['method']): number {
  return code === 'insufficient_storage' && method !== 'HEAD' ? ERRORS[code].status : 423;
}
