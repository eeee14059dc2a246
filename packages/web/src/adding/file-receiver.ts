/** Passes dropped or chosen files to the upload list. */
import { extensionOf, isMrcName } from '@cryolift/mrc';
import { isAcceptedType } from '@cryolift/protocol/accepted-types';
import type { Limits } from '@cryolift/protocol/messages';
import { Cell } from '../cell.ts';
import { texts } from '../texts.ts';
import type { UploadList } from '../uploads/upload-list.ts';
import type { Found, FoundFile } from './found-files.ts';

export class FileReceiver {
  /** A message about the files that were added last; null when there is nothing to report. */
  readonly notice = new Cell<string | null>(null);
  readonly #uploads: UploadList;
  readonly #getLimits: () => Promise<Limits | null>;
  #receivingCount = 0;

  constructor(uploads: UploadList, getLimits: () => Promise<Limits | null>) {
    this.#uploads = uploads;
    this.#getLimits = getLimits;
  }

  /** Files are being listed or filtered, and are not in the upload list yet. */
  get isReceiving(): boolean {
    return this.#receivingCount > 0;
  }

  /** @param finding resolves to null when the user closed the dialog. */
  receive = async (finding: Found | Promise<Found | null>): Promise<void> => {
    this.#receivingCount++;
    try {
      const found = await finding;
      if (found) await this.#add(found);
    } finally {
      this.#receivingCount--;
    }
  };

  /** Files in folders are left out when the server does not accept their type. Single files are always added, and refused there. */
  async #add({ files, unreadable }: Found): Promise<void> {
    if (this.#uploads.isOpen) location.hash = 'upload';
    const limits = await this.#getLimits();
    const isAccepted = ({ file, path }: FoundFile) =>
      path === null || !limits || isMrcName(file.name) || isAcceptedType(limits.accepted_types, extensionOf(file.name));
    const accepted = files.filter(isAccepted);
    const leftOut = files.length - accepted.length;
    const messages = [
      ...(files.length + unreadable === 0 ? [texts.drop.nothing] : []),
      ...(leftOut > 0 ? [texts.drop.leftOut(leftOut)] : []),
      ...(unreadable > 0 ? [texts.drop.unreadable(unreadable)] : []),
    ];
    this.notice.set(messages.join(' ') || null);
    await this.#uploads.add(accepted);
  }
}
