/** Checks dropped or chosen files, reports on them, and passes them to the upload list. */
import { extensionOf, isMrcName } from '@cryolift/mrc';
import { isAcceptedType } from '@cryolift/protocol/accepted-types';
import type { Limits } from '@cryolift/protocol/messages';
import { Cell } from '../cell.ts';
import type { UploadList } from '../uploads/upload-list.ts';
import { type BatchReport, checkBatch } from './batch-check.ts';
import type { Found, FoundFile } from './found-files.ts';
import { type KnownFiles, NOTHING_KNOWN } from './known-files.ts';
import { freeQuotaOf, quotaOf } from './quota.ts';

/** The page counts checked files this often, so that it is not drawn anew for each of thousands. */
const COUNTED_FILES = 50;

interface FileReceiverOptions {
  readonly uploads: UploadList;
  readonly knownFiles: Pick<KnownFiles, 'compare'>;
  /** Null when the server does not return them. */
  getLimits(): Promise<Limits | null>;
  /** With the quota of the account; null when the server does not answer soon. */
  getUsage(): Promise<Limits | null>;
  /** Name of the dataset that files which are added now belong to; null: none. */
  getDataset(): string | null;
}

export class FileReceiver {
  /** About the files that were added last; null: nothing was added, or its report was closed. */
  readonly report = new Cell<BatchReport | null>(null);
  /** Files that are checked now; null: none. */
  readonly checking = new Cell<{ readonly checked: number; readonly all: number } | null>(null);
  readonly #options: FileReceiverOptions;
  #receivingCount = 0;
  /** Batches are checked one after the other, so that nothing of the quota is given twice. */
  #queue: Promise<void> = Promise.resolve();
  #cancelled = new AbortController();

  constructor(options: FileReceiverOptions) {
    this.#options = options;
  }

  /** Files are being listed or checked, and are not in the upload list yet. */
  get isReceiving(): boolean {
    return this.#receivingCount > 0;
  }

  /** @param finding resolves to null when the user closed the dialog. */
  receive = async (finding: Found | Promise<Found | null>): Promise<void> => {
    this.#receivingCount++;
    const dataset = this.#options.getDataset();
    try {
      const found = await finding;
      if (!found) return;
      const { signal } = this.#cancelled;
      this.#queue = this.#queue.catch(() => {}).then(() => this.#add(found, dataset, signal));
      await this.#queue;
    } finally {
      this.#receivingCount--;
    }
  };

  /** Ends the check. Of its files none is added, nor of those that wait for it. */
  cancel(): void {
    this.#cancelled.abort(new DOMException('cancelled', 'AbortError'));
    this.#cancelled = new AbortController();
  }

  /** Files in folders are left out when the server does not accept their type. Single files are always added, and refused there. */
  async #add({ files, unreadable }: Found, dataset: string | null, signal: AbortSignal): Promise<void> {
    const { uploads, knownFiles, getLimits, getUsage } = this.#options;
    const { isOpen } = uploads;
    if (isOpen) location.hash = 'upload';
    const limits = await getLimits();
    const isAccepted = ({ file, path }: FoundFile) =>
      path === null || !limits || isMrcName(file.name) || isAcceptedType(limits.accepted_types, extensionOf(file.name));
    const accepted = files.filter(isAccepted);
    try {
      this.checking.set({ checked: 0, all: accepted.length });
      // Without a token the server answers neither; it checks both when the uploads begin.
      const usage = isOpen && accepted.length > 0 ? await getUsage() : null;
      const { isCounted, waiting } = uploads.counted();
      const { files: checked, report } = await checkBatch(accepted, {
        limits,
        free: freeQuotaOf(quotaOf(usage), waiting),
        knownFiles: isOpen ? knownFiles : NOTHING_KNOWN,
        isCounted,
        signal,
        onProgress: (count) => {
          if (count % COUNTED_FILES === 0) this.checking.set({ checked: count, all: accepted.length });
        },
      });
      this.report.set({ ...report, leftOut: files.length - accepted.length, unreadable });
      await uploads.add(checked, dataset);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.checking.set(null);
    }
  }
}
