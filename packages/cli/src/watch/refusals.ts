/**
 * Files that the server would not have. A refusal holds for as long as what it depended on is the same, for a day at most: then
 * the file is offered again.
 */
import { ServerError } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';
import { Refusal } from '../process/exit.ts';
import { describeFailure } from '../process/failure.ts';
import type { Facts, FolderJournal, Refused } from '../upload/folder-journal.ts';

const LONGEST_MS = 24 * 60 * 60_000;

/** What a refusal can depend on besides the file. */
export interface RefusalReasons extends Pick<Limits, 'max_file_size' | 'mrc_types' | 'accepted_types'> {
  /** That is sent along. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** By the code of the error: on what it depends. All other failures may be otherwise at any time. */
const DEPENDS_ON: Readonly<Record<string, readonly (keyof RefusalReasons)[]>> = {
  invalid_filename: [],
  file_too_large: ['max_file_size'],
  unsupported_file_type: ['mrc_types', 'accepted_types'],
  invalid_mrc: ['mrc_types'],
  path_too_long: ['metadata'],
};

export class Refusals {
  readonly #journal: FolderJournal;
  #reasons: RefusalReasons;

  constructor(journal: FolderJournal, reasons: RefusalReasons) {
    this.#journal = journal;
    this.#reasons = reasons;
  }

  /** What the server says now. */
  noteLimits(limits: Limits): void {
    this.#reasons = { ...this.#reasons, ...pickReasons(limits) };
  }

  /** @returns the refusal of this file that holds; null when the file is to be offered, again or for the first time. */
  find(path: string, facts: Facts, nowMs = Date.now()): Refused | null {
    const refused = this.#journal.findRefusal(path, facts);
    if (!refused) return null;
    const ageMs = nowMs - Date.parse(refused.at);
    const isSame = Object.entries(refused.depends_on).every(([name, value]) =>
      isEqual(this.#reasons[name as keyof RefusalReasons], value),
    );
    // A clock that was set back makes no refusal last.
    return isSame && ageMs < LONGEST_MS && ageMs > -LONGEST_MS ? refused : null;
  }

  /** It is on the disk when this returns. */
  note(path: string, facts: Facts, error: unknown): void {
    const { code, message } = describeFailure(error);
    const names = DEPENDS_ON[code] ?? [];
    const depends_on = Object.fromEntries(names.map((name) => [name, this.#reasons[name]]));
    this.#journal.note(path, facts, { refused: message, code, depends_on });
  }
}

export function pickReasons({ max_file_size, mrc_types, accepted_types }: Limits): Omit<RefusalReasons, 'metadata'> {
  return { max_file_size, mrc_types, accepted_types };
}

export function isRefusal(error: unknown): boolean {
  return (error instanceof ServerError || error instanceof Refusal) && error.code in DEPENDS_ON;
}

export function tryAgainAt({ at }: Refused): string {
  return new Date(Date.parse(at) + LONGEST_MS).toISOString();
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
