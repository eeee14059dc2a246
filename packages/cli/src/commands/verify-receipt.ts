/** `cryolift verify --receipt RECEIPT FOLDER`: checks a receipt, and a folder against it. No server is needed. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Receipt, ReceiptDocument, ReceiptFile } from '@cryolift/protocol/messages';
import { verifyReceipt } from '@cryolift/protocol/receipts';
import { formatBytes } from '../output/format.ts';
import { type Lines, Output } from '../output/output.ts';
import { EXIT, type ExitCode, Refusal } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { type Compared, compareFile, countUnnamed } from '../receipts/compare-folder.ts';
import { readReceiptKeys } from '../receipts/read-keys.ts';

export interface ReceiptOptions {
  /** Path of the receipt. */
  readonly receipt: string;
  /** Path of the public keys of the server. Without them it is not checked whose key has signed. */
  readonly keys?: string;
  readonly json?: boolean;
}

/** Each file is hashed. Files that the receipt does not name are counted. @throws Refusal `receipt_invalid` */
export async function verifyByReceipt(folder: string, options: ReceiptOptions): Promise<ExitCode> {
  const output = new Output(options.json);
  const signal = interruptible();
  const document = await check(options, output);
  // A bag (RFC 8493) has its files in `data`.
  const root = existsSync(join(folder, 'bagit.txt')) ? join(folder, 'data') : folder;
  const counts = { identical: 0, missing: 0, different: 0, failed: 0 };
  for (const file of document.files) {
    signal.throwIfAborted();
    try {
      const compared = await compareFile(root, file, signal);
      counts[compared.state]++;
      output.event({ path: file.path, ...compared });
      if (compared.state !== 'identical') output.table(() => describe(file, compared));
    } catch (error) {
      signal.throwIfAborted();
      counts.failed++;
      output.failure(error, file.path);
    }
  }
  const extra = await countUnnamed(root, document.files);
  const isGood = counts.identical === document.files.length;
  const summary = { event: 'summary', files: document.files.length, ...counts, extra, bytes: document.receipt.bytes };
  output.result(summary, () => summarise(summary, isGood));
  return isGood ? EXIT.done : EXIT.failed;
}

async function check({ receipt, keys }: ReceiptOptions, output: Output): Promise<ReceiptDocument> {
  const trusted = keys === undefined ? [] : readReceiptKeys(keys);
  const verified = await verifyReceipt((await readFile(receipt)).toString('utf8'), trusted);
  if (verified.kind === 'bad') {
    throw new Refusal('receipt_invalid', `${receipt}: ${verified.message}`, 'Get the receipt from the server again.');
  }
  const { document, unknownKeys } = verified;
  const [unknown] = unknownKeys;
  if (unknown && keys !== undefined) {
    const message = `${receipt}: the key ${unknown.kid} is not in ${keys}.`;
    throw new Refusal('receipt_key_unknown', message, 'Get the keys of the server that has signed it.');
  }
  const { dataset, issuer, issued_at } = document.receipt;
  output.event({ event: 'receipt', valid: true, is_key_known: !unknown, ...document.receipt });
  output.note([
    `Receipt of ${issuer} for ${dataset.name}, ${issued_at}: the signature is right.`,
    ...(unknown ? [`Whose key ${unknown.kid} is was not checked; --keys FILE does so.`] : []),
    ...(dataset.forced ? [describeForced(dataset.forced)] : []),
  ]);
  return document;
}

function describeForced({ missing, uploads = 0 }: NonNullable<Receipt['dataset']['forced']>): string {
  const open = uploads === 0 ? '' : ` and ${uploads} uploads had not ended`;
  return `It was completed although ${missing} files were missing or wrong${open}.`;
}

function describe({ path, size, sha256 }: ReceiptFile, compared: Compared): Lines {
  if (compared.state !== 'different') return `${path}: MISSING`;
  if (compared.sha256 === null) return `${path}: DIFFERENT, ${compared.size} bytes here, ${size} by the receipt`;
  return [`${path}: DIFFERENT`, `  here     sha256 ${compared.sha256}`, `  receipt  sha256 ${sha256}`];
}

interface Summary {
  readonly files: number;
  readonly identical: number;
  readonly missing: number;
  readonly different: number;
  readonly failed: number;
  readonly extra: number;
  readonly bytes: number;
}

function summarise({ files, identical, missing, different, failed, extra, bytes }: Summary, isGood: boolean): string {
  const counts = [
    isGood ? `all ${files} files identical, ${formatBytes(bytes)}` : `${identical} of ${files} files identical`,
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(different > 0 ? [`${different} different`] : []),
    ...(failed > 0 ? [`${failed} not readable`] : []),
    ...(extra > 0 ? [`${extra} not named by the receipt`] : []),
  ];
  return counts.join(', ');
}
