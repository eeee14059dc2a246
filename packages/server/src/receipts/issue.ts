/** Makes and signs receipts. */
import { createHash } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import { RECEIPT_TYPE, type Receipt, type ReceiptDocument, type ReceiptFile } from '@cryolift/protocol/messages';
import { canonicalJson, compareFiles, filesText } from '@cryolift/protocol/receipts';
import { datasetNotFound } from '../datasets/datasets.ts';
import { datasetEvent, toDatasetRecord } from '../datasets/record.ts';
import type { Database } from '../db/database.ts';
import { eachFileOf, findPreviousReceipt, insertReceipt } from '../db/datasets/receipts.ts';
import { findDataset, lockDataset } from '../db/datasets/rows.ts';
import { dialectOf } from '../db/dialect.ts';
import type { DatasetRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import type { ReceiptContext } from './context.ts';
import { toReceiptFile } from './receipt-file.ts';

/**
 * Issues the receipt of a completed dataset and keeps it, once for each completion. Safe to repeat.
 *
 * @returns `later`: the digest of a file is not known yet, or a file was deleted meanwhile.
 */
export async function issueForCompletion(context: ReceiptContext, datasetId: string): Promise<'done' | 'later'> {
  const dataset = await findDataset(context.db, datasetId);
  // It was opened again: its next completion has a job of its own.
  if (!dataset || dataset.completed_at === null) return 'done';
  const document = await sign(context, dataset);
  if (document === null) return 'later';
  betweenSteps('receipt.signed');
  return await context.outbox.transact(async (tx, emit) => {
    await dialectOf(tx).lock(tx, { owner: dataset.owner });
    // No file is deleted between this look and the commit.
    const now = await lockDataset(tx, datasetId);
    if (!now || now.completed_at !== dataset.completed_at) return 'done';
    if (!isOf(document, now)) return 'later';
    const isFirst = await keep(context, tx, datasetId, document, now.completed_at);
    if (isFirst) await emit(datasetEvent('receipt_ready', now, context.now()));
    return 'done';
  });
}

/**
 * Issues a receipt of what is there, and keeps it.
 *
 * @returns the text of the document. @throws UploadError `dataset_not_found`, `receipt_not_ready`.
 */
export async function issueNow(context: ReceiptContext, datasetId: string): Promise<string> {
  const dataset = await findDataset(context.db, datasetId);
  if (!dataset) throw datasetNotFound(datasetId);
  const document = await sign(context, dataset);
  if (document === null) throw new UploadError('receipt_not_ready', 'The digest of a file is not known yet.');
  await context.outbox.transact((tx) => keep(context, tx, datasetId, document, null));
  return printReceipt(document);
}

/** The document as clients get it: canonical JSON (RFC 8785) and a line feed. */
export function printReceipt(document: ReceiptDocument): string {
  return `${canonicalJson(document)}\n`;
}

/** Null: the digest of a file is not known yet. */
async function sign(
  { db, now, receiptKeys, issuer }: ReceiptContext,
  dataset: DatasetRow,
): Promise<ReceiptDocument | null> {
  const files = await listFiles(db, dataset.id);
  if (files === null) return null;
  const hash = createHash('sha256');
  for (const text of filesText(files)) hash.update(text);
  const previous = await findPreviousReceipt(db, dataset.id);
  const { dataset_id, name, owner, project, instrument, state, completed_at, forced } = toDatasetRecord(dataset);
  const receipt: Receipt = {
    type: RECEIPT_TYPE,
    issuer,
    issued_at: new Date(now()).toISOString(),
    dataset: { dataset_id, name, owner, project, instrument, state, completed_at, forced },
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    files_sha256: hash.digest('hex'),
    previous: previous ? (JSON.parse(previous.document) as Receipt['previous']) : null,
  };
  return { receipt, files, signature: await receiptKeys.sign(canonicalJson(receipt)) };
}

/** In the order of a receipt. Null: the digest of one is not known yet. */
async function listFiles(db: Database, datasetId: string): Promise<ReceiptFile[] | null> {
  const files: ReceiptFile[] = [];
  for await (const row of eachFileOf(db, datasetId)) {
    const file = toReceiptFile(row);
    if (file === null) return null;
    files.push(file);
  }
  return files.sort(compareFiles);
}

function isOf({ receipt }: ReceiptDocument, { files, bytes }: DatasetRow): boolean {
  return receipt.files === Number(files) && receipt.bytes === Number(bytes);
}

async function keep(
  { newId, now }: ReceiptContext,
  tx: Database,
  dataset_id: string,
  document: ReceiptDocument,
  completed_at: number | null,
): Promise<boolean> {
  const row = { id: newId(), dataset_id, kind: 'issued', completed_at, created_at: now() } as const;
  return await insertReceipt(tx, { ...row, document: canonicalJson(document) });
}
