/** The steps of an upload on the wire. Each asks until it is answered and enters what was answered into the ledger. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import { digestHeader, flipBit, sha256Hex } from '../contract/sample.ts';
import { cutPart, partPath } from '../contract/upload.ts';
import type { Answer } from '../contract/wire.ts';
import { type Caller, describe, GivenUp, type Pass, type Request, type Weather } from './caller.ts';
import type { Entry, Ledger } from './ledger.ts';

export interface Steps {
  readonly caller: Caller;
  readonly ledger: Ledger;
  readonly weather: Weather;
  readonly pass: Pass;
  readonly patienceMs: number;
}

/** Between two questions for the jobs of a file. */
const POLL_MS = 25;

/** How a part is sent: with its digest, without, damaged on the way. */
export type Manner = 'with digest' | 'without digest' | 'damaged';

export async function insist(steps: Steps, entry: Entry, request: Request): Promise<Answer> {
  return await steps.caller.insist(entry.plan.owner, entry, request, steps.patienceMs, steps.pass);
}

/** Opens the upload. Repeated with one Idempotency-Key, it finds what an unanswered one has opened. */
export async function openUpload(steps: Steps, entry: Entry): Promise<UploadRecord> {
  if (entry.upload) return entry.upload;
  const { filename, sizeBytes, partSizeBytes, declares } = entry.plan;
  const json = {
    filename,
    size: sizeBytes,
    part_size: partSizeBytes,
    ...(declares === 'init' ? { sha256: entry.sha256 } : {}),
  };
  const extra = { json, headers: { 'idempotency-key': filename } };
  const answer = await insist(steps, entry, { method: 'POST', path: '/uploads/init', extra, expected: ['201', '200'] });
  entry.upload = answer.json<UploadRecord>();
  return entry.upload;
}

export async function sendPart(steps: Steps, entry: Entry, bytes: Buffer, idx: number, manner: Manner): Promise<void> {
  const upload = await openUpload(steps, entry);
  const part = cutPart(bytes, upload, idx);
  // A part that is stored already needs no body, so that a damaged one does no harm.
  const body = manner === 'damaged' ? flipBit(part, part.length >> 1) : part;
  const headers = manner === 'without digest' ? {} : { 'content-digest': digestHeader(part) };
  const expected = manner === 'damaged' ? ['200', '422 part_checksum_mismatch'] : ['201', '200'];
  const request = { method: 'PUT', path: partPath(upload, idx), extra: { body, headers }, expected } as const;
  const answer = await insist(steps, entry, request);
  if (answer.status >= 300) return;
  steps.ledger.notePart(entry, idx);
  const { sha256 } = answer.json<{ sha256: string }>();
  if (sha256 !== sha256Hex(part)) steps.ledger.noteFault(entry, `the receipt of part ${idx} has SHA-256 ${sha256}`);
}

/** Other bytes for a part that is stored: they must always be refused. */
export async function sendOther(steps: Steps, entry: Entry, bytes: Buffer, idx: number): Promise<void> {
  const upload = await openUpload(steps, entry);
  const body = flipBit(cutPart(bytes, upload, idx), 0);
  const extra = { body, headers: { 'content-digest': digestHeader(body) } };
  await insist(steps, entry, {
    method: 'PUT',
    path: partPath(upload, idx),
    extra,
    expected: ['409 part_conflict'],
  });
}

/** Sends what is missing and completes, until the upload has come to its end. @returns the record, or null: it has failed. */
export async function completeUpload(steps: Steps, entry: Entry, bytes: Buffer): Promise<FileRecord | null> {
  const upload = await openUpload(steps, entry);
  const deadlineMs = performance.now() + steps.patienceMs;
  for (;;) {
    if (performance.now() > deadlineMs) {
      steps.ledger.noteFault(entry, `it is stuck: it did not complete in ${steps.patienceMs} ms`);
      throw new GivenUp('stuck');
    }
    const answer = await askComplete(steps, entry, upload);
    if (answer.status === 202) continue;
    const described = describe(answer);
    if (described === '409 upload_incomplete') {
      const missing = readMissing(answer);
      steps.ledger.noteMissing(entry, missing, steps.weather.losses);
      for (const idx of missing) await sendPart(steps, entry, bytes, idx, 'with digest');
    } else if (described === '200') {
      return noteFile(steps, entry, answer.json<FileRecord>());
    } else {
      entry.failed = true;
      return null;
    }
  }
}

/** Sends all parts in their order, and completes. */
export async function publish(steps: Steps, entry: Entry): Promise<void> {
  const bytes = entry.makeBytes();
  const { part_count } = await openUpload(steps, entry);
  for (let idx = 0; idx < part_count; idx++) await sendPart(steps, entry, bytes, idx, 'with digest');
  await completeUpload(steps, entry, bytes);
}

/** Waits until the jobs of published files are done: their pictures and digests. One that has failed is a fault. */
export async function awaitJobs(steps: Steps, entries: readonly Entry[]): Promise<void> {
  const deadlineMs = performance.now() + steps.patienceMs;
  for (const entry of entries) {
    if (entry.completed !== 'answered' || entry.deleted !== 'no') continue;
    for (;;) {
      const request = { method: 'GET', path: `/files/${entry.fileId}/jobs`, expected: ['200'] } as const;
      const { items } = (await insist(steps, entry, request)).json<{ items: { status: string }[] }>();
      const open = items.filter(({ status }) => status !== 'done');
      if (open.length === 0) break;
      if (performance.now() > deadlineMs || open.some(({ status }) => status === 'failed')) {
        steps.ledger.noteFault(entry, `its jobs are not done: ${JSON.stringify(items)}`);
        break;
      }
      await sleep(POLL_MS);
    }
  }
}

export async function readUpload(steps: Steps, entry: Entry, id: string): Promise<UploadRecord> {
  const request = { method: 'GET', path: `/uploads/${id}`, expected: ['200'] } as const;
  return (await insist(steps, entry, request)).json<UploadRecord>();
}

/** Asks for the file before all parts are there. @param missing parts that nobody has sent. */
export async function completeEarly(steps: Steps, entry: Entry, missing: readonly number[]): Promise<void> {
  const upload = await openUpload(steps, entry);
  const path = `/uploads/${upload.upload_id}/complete`;
  const answer = await insist(steps, entry, { method: 'POST', path, expected: ['409 upload_incomplete'] });
  const received = readMissing(answer);
  steps.ledger.noteMissing(entry, received, steps.weather.losses);
  const unsaid = missing.filter((idx) => !received.includes(idx));
  if (unsaid.length > 0) steps.ledger.noteFault(entry, `parts ${unsaid} were never sent and are not listed as missing`);
}

export async function cancelUpload(steps: Steps, entry: Entry): Promise<void> {
  const upload = await openUpload(steps, entry);
  entry.cancelled = 'asked';
  const path = `/uploads/${upload.upload_id}`;
  await insist(steps, entry, { method: 'DELETE', path, expected: ['204'] });
  steps.ledger.noteCancelled(entry);
}

export async function deleteFile(steps: Steps, entry: Entry): Promise<void> {
  const repeated = entry.deleted !== 'no';
  entry.deleted = 'asked';
  const path = `/files/${entry.fileId}`;
  // The first request may have done it and died before its answer.
  const answer = await insist(steps, entry, { method: 'DELETE', path, expected: ['204', '404 file_not_found'] });
  if (answer.status === 204 || repeated) steps.ledger.noteDeleted(entry);
}

/** Reads the whole file and compares it. */
export async function readBack(steps: Steps, entry: Entry): Promise<void> {
  const path = `/files/${entry.fileId}/content`;
  const { body } = await insist(steps, entry, { method: 'GET', path, expected: ['200'] });
  const found = sha256Hex(body);
  if (found !== entry.sha256) {
    steps.ledger.noteFault(entry, `its file ${entry.fileId} has ${body.length} wrong bytes, of SHA-256 ${found}`);
  }
}

async function askComplete(steps: Steps, entry: Entry, upload: UploadRecord): Promise<Answer> {
  const { declares } = entry.plan;
  if (entry.completed === 'no') entry.completed = 'asked';
  const sha256 = declares === 'wrong' ? '0'.repeat(64) : entry.sha256;
  const ends = declares === 'wrong' ? ['422 file_checksum_mismatch', '409 upload_closed'] : ['200'];
  return await insist(steps, entry, {
    method: 'POST',
    path: `/uploads/${upload.upload_id}/complete`,
    extra: declares === 'complete' || declares === 'wrong' ? { json: { sha256 } } : {},
    expected: [...ends, '202', '409 upload_incomplete'],
  });
}

function noteFile(steps: Steps, entry: Entry, record: FileRecord): FileRecord {
  const isLate = record.sha256 === null && entry.plan.declares === 'never' && steps.weather.lateDigests;
  if ((record.sha256 !== entry.sha256 && !isLate) || record.size !== entry.plan.sizeBytes) {
    steps.ledger.noteFault(entry, `published with ${record.size} bytes of SHA-256 ${record.sha256}`);
  }
  steps.ledger.noteCompleted(entry, record.file_id);
  return record;
}

function readMissing(answer: Answer): number[] {
  const { details } = answer.json<{ details: { missing_parts: [number, number][] } }>();
  return [...eachPart(details.missing_parts)];
}
