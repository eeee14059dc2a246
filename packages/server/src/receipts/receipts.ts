/** Finds the receipt of a dataset, and takes that of the server that had its files before. */
import { UploadError } from '@cryolift/protocol/errors';
import type { Receipt, ReceiptDocument, ReceiptFile } from '@cryolift/protocol/messages';
import { canonicalJson, verifyReceipt } from '@cryolift/protocol/receipts';
import type { MayAccess } from '../datasets/context.ts';
import { findAccessible } from '../datasets/datasets.ts';
import type { Database } from '../db/database.ts';
import { eachFileOf, findReceipt, insertReceipt } from '../db/datasets/receipts.ts';
import type { ReceiptContext } from './context.ts';
import { printReceipt } from './issue.ts';
import { toReceiptFile } from './receipt-file.ts';

/** Paths of missing files that a refusal names. */
const MAX_NAMES = 20;

/**
 * The newest receipt, as it was issued.
 *
 * @throws UploadError `dataset_not_found`, `receipt_not_found`, and `receipt_not_ready` for a completion without one.
 */
export async function readReceipt({ db }: ReceiptContext, id: string, mayAccess: MayAccess): Promise<string> {
  const dataset = await findAccessible(db, id, mayAccess);
  const row = await findReceipt(db, id);
  const isOfCompletion = row && (JSON.parse(row.document) as { receipt: Receipt }).receipt.dataset.completed_at;
  if (dataset.completed_at !== null && isOfCompletion !== new Date(dataset.completed_at).toISOString()) {
    throw new UploadError('receipt_not_ready', 'The receipt of this dataset is being made.');
  }
  if (!row) throw new UploadError('receipt_not_found', `The dataset ${dataset.name} has no receipt.`);
  return `${row.document}\n`;
}

/**
 * Takes the receipt of the server that had the files before. Later receipts have it as `previous`.
 *
 * @throws UploadError `dataset_not_found`, `receipt_invalid`.
 */
export async function takePreviousReceipt(
  { db, now, newId }: ReceiptContext,
  id: string,
  mayAccess: MayAccess,
  document: ReceiptDocument,
): Promise<void> {
  const dataset = await findAccessible(db, id, mayAccess);
  const verified = await verifyReceipt(printReceipt(document), []);
  if (verified.kind === 'bad') throw new UploadError('receipt_invalid', verified.message);
  const { receipt, signature, files } = document;
  const missing = await listMissing(db, dataset.id, files);
  if (missing.length > 0) {
    const message = `${missing.length} of its ${files.length} files are not in the dataset ${dataset.name}.`;
    const details = { missing: missing.length, names: missing.slice(0, MAX_NAMES).map(({ path }) => path) };
    throw new UploadError('receipt_invalid', message, { details });
  }
  const row = { id: newId(), dataset_id: id, kind: 'previous', completed_at: null, created_at: now() } as const;
  await insertReceipt(db, { ...row, document: canonicalJson({ receipt, signature }) });
}

/** Files that the dataset does not have: with the same digest, size and path. */
async function listMissing(db: Database, datasetId: string, files: readonly ReceiptFile[]): Promise<ReceiptFile[]> {
  const here = new Set<string>();
  for await (const row of eachFileOf(db, datasetId)) {
    const file = toReceiptFile(row);
    if (file) here.add(keyOf(file));
  }
  return files.filter((file) => !here.has(keyOf(file)));
}

function keyOf({ sha256, size, path }: ReceiptFile): string {
  return `${sha256} ${size} ${path}`;
}
