/** What becomes of files that were dropped or chosen. */
import { extensionOf, isMrcName } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import { Cell } from '../cell.ts';
import { texts } from '../texts.ts';
import type { Found, FoundFile } from './found-files.ts';
import type { UploadList } from './upload-list.ts';

export class Intake {
  /** What there is to say about the files that were given last; null: nothing. */
  readonly notice = new Cell<string | null>(null);
  readonly #uploads: UploadList;
  readonly #getLimits: () => Promise<Limits | null>;
  #takingCount = 0;

  constructor(uploads: UploadList, getLimits: () => Promise<Limits | null>) {
    this.#uploads = uploads;
    this.#getLimits = getLimits;
  }

  /** Files are being found, or sorted out: they are not in the list of uploads yet. */
  get isTaking(): boolean {
    return this.#takingCount > 0;
  }

  /** @param finding null: a dialog was closed. */
  take = async (finding: Found | Promise<Found | null>): Promise<void> => {
    this.#takingCount++;
    try {
      const found = await finding;
      if (found) await this.#take(found);
    } finally {
      this.#takingCount--;
    }
  };

  /** Of folders only what the server takes; what was given by itself is shown in any case, with the reason. */
  async #take({ files, unreadable }: Found): Promise<void> {
    if (this.#uploads.isOpen) location.hash = 'upload';
    const limits = await this.#getLimits();
    const takes = ({ file, path }: FoundFile) =>
      path === null || !limits || isMrcName(file.name) || limits.accepted_types.includes(extensionOf(file.name));
    const taken = files.filter(takes);
    const leftOut = files.length - taken.length;
    const words = [
      ...(files.length + unreadable === 0 ? [texts.drop.nothing] : []),
      ...(leftOut > 0 ? [texts.drop.leftOut(leftOut)] : []),
      ...(unreadable > 0 ? [texts.drop.unreadable(unreadable)] : []),
    ];
    this.notice.set(words.join(' ') || null);
    await this.#uploads.add(taken);
  }
}
