/** Demands a signed receipt of the dataset before a local file is moved or deleted. */
import { type Api, Datasets, RetryPolicy, ServerError } from '@cryolift/client';
import { cleanPath } from '@cryolift/protocol/file-path';
import type { ReceiptDocument, ReceiptFile } from '@cryolift/protocol/messages';
import { verifyReceipt } from '@cryolift/protocol/receipts';
import { parseReceiptKeys } from '../receipts/read-keys.ts';

/** A receipt that does not name a file is requested again after this time. */
const REREAD_MS = 10_000;

/** What the newest receipt says of its files, by id; or why there is none that counts. */
type Read = ReadonlyMap<string, ReceiptFile> | string;

interface Reading {
  /** By `performance.now()`. */
  readonly atMs: number;
  readonly read: Promise<Read>;
}

/** As the journal has it. */
type LocalFile = Pick<ReceiptFile, 'file_id' | 'size' | 'sha256'>;

/** Null: the receipt names it. Otherwise why it does not. */
type Missing = string | null;

export class ReceiptDemand {
  readonly #api: Api;
  readonly #datasets: Datasets;
  readonly #name: string;
  #last: Reading | null = null;

  /** @param name of the dataset, which belongs to the caller. */
  constructor(api: Api, name: string) {
    this.#api = api;
    this.#datasets = new Datasets(api);
    this.#name = name;
  }

  /**
   * @param path of the file, relative to the folder that is watched.
   * @returns null when a receipt whose signature is right names the path, the size and the SHA-256 of this file.
   * @throws as RetryPolicy does.
   */
  async findMissing(path: string, file: LocalFile, signal: AbortSignal): Promise<Missing> {
    const last = this.#last;
    const isOld = last === null || performance.now() - last.atMs >= REREAD_MS;
    if (last !== null) {
      const missing = compare(await last.read, path, file);
      if (missing === null || !isOld) return missing;
    }
    // Files that ask at the same time share one request.
    const { read } = this.#last === last || this.#last === null ? this.#begin(signal) : this.#last;
    return compare(await read, path, file);
  }

  #begin(signal: AbortSignal): Reading {
    const reading = { atMs: performance.now(), read: this.#read(signal) };
    reading.read.catch(() => {
      if (this.#last === reading) this.#last = null;
    });
    this.#last = reading;
    return reading;
  }

  async #read(signal: AbortSignal): Promise<Read> {
    const policy = new RetryPolicy();
    return await policy.retry(async () => {
      try {
        return await this.#request(signal);
      } catch (error) {
        if (!(error instanceof ServerError)) throw error;
        if (['receipt_not_found', 'receipt_not_ready', 'dataset_not_found'].includes(error.code)) return NO_RECEIPT;
        if (error.code === 'forbidden') return 'this token may not read the receipt of its dataset';
        throw error;
      }
    }, signal);
  }

  async #request(signal: AbortSignal): Promise<Read> {
    const dataset = await this.#datasets.find(this.#name, { signal });
    if (dataset === null) return NO_RECEIPT;
    const text = await this.#datasets.receipt(dataset.dataset_id, { signal });
    const keys = parseReceiptKeys(await this.#api.text('/.well-known/cryolift-receipt-keys.json', { signal }));
    const verified = await verifyReceipt(text, keys ?? []);
    if (verified.kind === 'bad') return `the receipt of its dataset is not right: ${verified.message}`;
    const { receipt, signature, files }: ReceiptDocument = verified.document;
    // Earlier receipts in it may be of servers whose keys are not known here.
    if (verified.unknownKeys.some(({ kid }) => kid === signature.key.kid)) {
      return `the receipt of its dataset is signed with ${signature.key.kid}, which is no key of the server`;
    }
    if (receipt.dataset.dataset_id !== dataset.dataset_id) return 'the receipt is that of another dataset';
    return new Map(files.map((file) => [file.file_id, file]));
  }
}

const NO_RECEIPT = 'its dataset has no receipt yet';

function compare(read: Read, path: string, { file_id, size, sha256 }: LocalFile): Missing {
  if (typeof read === 'string') return read;
  const named = read.get(file_id);
  if (!named) return 'the receipt of its dataset does not name it';
  if (named.path !== cleanPath(path)) return `the receipt of its dataset names it as ${named.path}`;
  if (named.size === size && named.sha256 === sha256) return null;
  return 'the receipt of its dataset names it with other bytes';
}
