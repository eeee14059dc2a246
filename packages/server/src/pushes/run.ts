/** One attempt of a push: opens the destination, sends what is not there, and at last the receipt. */
import type { Readable } from 'node:stream';
import type { ReceiptDocument, ReceiptFile } from '@cryolift/protocol/messages';
import { transact } from '../db/database.ts';
import {
  beginAttempt,
  changePush,
  findPush,
  LIVE_PUSHES,
  listBegunFiles,
  listPushedFiles,
  notePushed,
  readPushProgress,
  savePushProgress,
} from '../db/datasets/pushes.ts';
import { findReceiptById, findReceiptOfCompletion } from '../db/datasets/receipts.ts';
import { findDataset } from '../db/datasets/rows.ts';
import { findFile } from '../db/files.ts';
import type { DatasetRow, PushRow } from '../db/tables.ts';
import { type Delivery, FILES_AT_ONCE, type OutgoingFile, PushRefused } from '../destinations/delivery.ts';
import { describeFailure, networkCodeOf } from '../destinations/failure.ts';
import { betweenSteps } from '../durable-step.ts';
import { readContent } from '../files/files.ts';
import { safePathOf } from '../files/manifest.ts';
import { toStoredFile } from '../files/stored-file.ts';
import type { PushContext } from './context.ts';
import { pushEvent } from './record.ts';

/** Attempts in a row without a file that was finished; then the push fails. The last waits are an hour and a half in all. */
const MAX_ATTEMPTS = 10;
/** The next attempt waits 5 s, 10 s, 20 s … */
const FIRST_DELAY_MS = 5_000;
const MAX_DELAY_MS = 30 * 60_000;
/** How often a running push asks whether it was cancelled, by another server perhaps. */
const WATCH_MS = 1_000;
/** Characters of an error that are kept. */
const MAX_ERROR = 500;

export type AttemptOutcome = { kind: 'ended' } | { kind: 'again'; afterMs: number; message: string };

/** Safe to repeat, and to be interrupted at any time. */
export async function runPush(context: PushContext, pushId: string, signal: AbortSignal): Promise<AttemptOutcome> {
  const push = await beginAttempt(context.db, pushId, context.now());
  if (!push) return await tidy(context, pushId);
  betweenSteps('push.begun');
  const watch = watchState(context, pushId, signal);
  try {
    const dataset = await findDataset(context.db, push.dataset_id);
    if (!dataset) throw new PushRefused('The dataset was deleted.');
    if (push.attempts > MAX_ATTEMPTS) throw new PushRefused('The server has stopped during every attempt.');
    return await deliver(context, push, dataset, watch.signal);
  } catch (error) {
    if (signal.aborted) {
      // The server stops, which is no failure of the destination.
      await changePush(context.db, pushId, LIVE_PUSHES, { attempts: push.attempts - 1 }, context.now());
      throw error;
    }
    if (watch.signal.aborted) return await tidy(context, pushId);
    return await noteFailure(context, push, error);
  } finally {
    watch.stop();
  }
}

async function deliver(
  context: PushContext,
  push: PushRow,
  dataset: DatasetRow,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const receipt = await findReceipt(context, push, dataset);
  if (receipt === null) return { kind: 'again', afterMs: FIRST_DELAY_MS, message: 'The receipt is not made yet.' };
  const { files } = JSON.parse(receipt.document) as ReceiptDocument;
  const done = await listPushedFiles(context.db, push.id);
  const sums = sumDone(files, done);
  assertPaths(files);
  const changes = { receipt_id: receipt.id, files: files.length, bytes: sumBytes(files), ...sums };
  await changePush(context.db, push.id, LIVE_PUSHES, changes, context.now());
  const delivery = await open(context, push, dataset, signal);
  try {
    const left = files.filter(({ file_id }) => !done.has(file_id)).values();
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const workers = Array.from({ length: FILES_AT_ONCE }, async () => {
      for (const file of left) await sendFile(context, push, delivery, file, either);
    });
    const settled = await Promise.allSettled(
      workers.map((worker) =>
        worker.catch((error: unknown) => {
          failed.abort();
          throw error;
        }),
      ),
    );
    const errors = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    // Those of the others are that they were aborted.
    if (errors.length > 0) throw errors.find((error) => error instanceof PushRefused) ?? errors[0];
    signal.throwIfAborted();
    await delivery.finish(`${receipt.document}\n`);
    betweenSteps('push.receipt-sent');
    await end(context, push.id, dataset.id, 'done', null);
    return { kind: 'ended' };
  } finally {
    await delivery.close();
  }
}

/** The one of the completion, and the same one in every attempt. */
async function findReceipt({ db }: PushContext, { receipt_id }: PushRow, dataset: DatasetRow) {
  if (receipt_id !== null) return (await findReceiptById(db, receipt_id)) ?? null;
  if (dataset.completed_at === null) throw new PushRefused('The dataset was opened again before the push began.');
  return (await findReceiptOfCompletion(db, dataset.id, dataset.completed_at)) ?? null;
}

function sumDone(files: readonly ReceiptFile[], done: ReadonlySet<string>) {
  const there = files.filter(({ file_id }) => done.has(file_id));
  return { files_done: there.length, bytes_done: sumBytes(there) };
}

function sumBytes(files: readonly ReceiptFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function assertPaths(files: readonly ReceiptFile[]): void {
  const digests = new Map<string, string>();
  for (const { path, sha256 } of files) {
    if ((digests.get(path) ?? sha256) !== sha256) {
      throw new PushRefused(`The dataset has two different files ${path}. Delete one, and push it again.`);
    }
    digests.set(path, sha256);
  }
}

async function open(
  { destinations }: PushContext,
  push: PushRow,
  { id, name, project, instrument, fields }: DatasetRow,
  signal: AbortSignal,
): Promise<Delivery> {
  const dataset = { id, name, project, instrument, fields: JSON.parse(fields) as Record<string, string> };
  const delivery = await destinations.open(push.destination, push.owner, push.place, dataset, signal);
  if (delivery) return delivery;
  throw new PushRefused(
    `The settings of the server have no destination ${push.destination} for this dataset any more.`,
  );
}

async function sendFile(
  context: PushContext,
  { id: pushId }: PushRow,
  delivery: Delivery,
  { file_id, path, size, sha256 }: ReceiptFile,
  signal: AbortSignal,
): Promise<void> {
  const { db } = context;
  signal.throwIfAborted();
  const row = await findFile(db, file_id);
  if (!row) throw new PushRefused(`The file ${path} was deleted here.`);
  const { filename, record, ...stored } = toStoredFile(row);
  const file: OutgoingFile = {
    id: file_id,
    path,
    sizeBytes: size,
    sha256,
    filename,
    metadata: record.metadata,
    read: async (start, end): Promise<Readable> =>
      await readContent(context, { filename, record, ...stored }, { start, end }),
  };
  const progress = {
    read: () => readPushProgress(db, pushId, file_id),
    save: (text: string | null) => savePushProgress(db, pushId, file_id, text),
  };
  await delivery.send(file, progress, signal);
  betweenSteps('push.file-sent');
  await transact(db, (tx) => notePushed(tx, pushId, { id: file_id, sizeBytes: size }, context.now()));
  betweenSteps('push.file-noted');
}

async function end(
  { outbox, now }: PushContext,
  pushId: string,
  datasetId: string,
  state: 'done' | 'failed',
  error: string | null,
): Promise<void> {
  await outbox.transact(async (tx, emit) => {
    const nowMs = now();
    const row = await changePush(tx, pushId, LIVE_PUSHES, { state, error, ended_at: nowMs }, nowMs);
    // It was cancelled, or another server has ended it.
    if (!row) return;
    const dataset = await findDataset(tx, datasetId);
    if (dataset) await emit(pushEvent(state === 'done' ? 'pushed' : 'push_failed', dataset, row, nowMs));
  });
}

async function noteFailure(
  context: PushContext,
  { id, dataset_id, destination }: PushRow,
  error: unknown,
): Promise<AttemptOutcome> {
  const row = await findPush(context.db, id);
  if (!row) return { kind: 'ended' };
  const message = describeFailure(error, destination).slice(0, MAX_ERROR);
  const isRefused = error instanceof PushRefused;
  const isLast = isRefused || row.attempts >= MAX_ATTEMPTS;
  // Its message may have what a log must not have.
  const [name, code] = [(error as Error)?.name, networkCodeOf(error)];
  const fields = { push_id: id, dataset_id, destination, attempts: row.attempts, name, ...(code && { code }) };
  context.log.warn(fields, isLast ? 'a push has failed' : 'an attempt of a push failed');
  if (isLast) {
    await end(context, id, dataset_id, 'failed', message);
    return { kind: 'ended' };
  }
  await changePush(context.db, id, LIVE_PUSHES, { state: 'waiting', error: message }, context.now());
  return {
    kind: 'again',
    afterMs: Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, row.attempts - 1)),
    message,
  };
}

/** Removes what a cancelled push has begun at its destination; what cannot be removed now is left there. */
async function tidy(context: PushContext, pushId: string): Promise<AttemptOutcome> {
  const push = await findPush(context.db, pushId);
  const dataset = push && (await findDataset(context.db, push.dataset_id));
  if (push?.state !== 'cancelled' || !dataset) return { kind: 'ended' };
  const begun = await listBegunFiles(context.db, pushId);
  if (begun.length === 0) return { kind: 'ended' };
  try {
    const delivery = await open(context, push, dataset, AbortSignal.timeout(WATCH_MS * 60));
    for (const { file_id, progress } of begun) {
      const row = await findFile(context.db, file_id);
      if (row) await delivery.discard(safePathOf(toStoredFile(row)), progress);
      await savePushProgress(context.db, pushId, file_id, null);
    }
    await delivery.close();
  } catch (error) {
    const fields = { push_id: pushId, destination: push.destination, name: (error as Error).name };
    context.log.warn(fields, 'what a cancelled push has begun could not be removed');
  }
  return { kind: 'ended' };
}

/** Aborts when the push is not live any more. */
function watchState({ db }: PushContext, pushId: string, signal: AbortSignal) {
  const ended = new AbortController();
  const timer = setInterval(async () => {
    const row = await findPush(db, pushId).catch(() => null);
    // Without the database nobody knows.
    if (row !== null && (!row || !LIVE_PUSHES.includes(row.state))) ended.abort();
  }, WATCH_MS);
  return { signal: AbortSignal.any([signal, ended.signal]), stop: () => clearInterval(timer) };
}
