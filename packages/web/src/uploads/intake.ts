/** What becomes of files that were dropped or chosen. */
import { extensionOf, isMrcName } from '@cryolift/mrc';
import type { Limits } from '@cryolift/protocol/messages';
import { Cell } from '../cell.ts';
import { texts } from '../texts.ts';
import type { FoundFile } from './found-files.ts';
import type { UploadList } from './upload-list.ts';

export class Intake {
  /** What there is to say about the files that were given last; null: nothing. */
  readonly notice = new Cell<string | null>(null);
  readonly #uploads: UploadList;
  readonly #getLimits: () => Promise<Limits | null>;

  constructor(uploads: UploadList, getLimits: () => Promise<Limits | null>) {
    this.#uploads = uploads;
    this.#getLimits = getLimits;
  }

  /** Of folders only what the server takes; what was given by itself is shown in any case, with the reason. */
  take = async (found: readonly FoundFile[]): Promise<void> => {
    location.hash = 'upload';
    const limits = await this.#getLimits();
    const takes = ({ file, path }: FoundFile) =>
      path === null || !limits || isMrcName(file.name) || limits.accepted_types.includes(extensionOf(file.name));
    const taken = found.filter(takes);
    const leftOut = found.length - taken.length;
    this.notice.set(found.length === 0 ? texts.drop.nothing : leftOut > 0 ? texts.drop.leftOut(leftOut) : null);
    await this.#uploads.add(taken);
  };
}
