/**
 * Files that the server refused. A refusal is valid while the values on which it depended are unchanged, for a day at
 * most. Then the file is offered again.
 */
import { ServerError } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';
import { Refusal } from '../process/exit.ts';
import { describeFailure } from '../process/failure.ts';
import type { Facts, FolderJournal, Refused } from '../upload/folder-journal.ts';

const LONGEST_MS = 24 * 60 * 60_000;

/** What a refusal can depend on besides the file. */
export interface RefusalReasons extends Pick<Limits, 'max_file_size' | 'mrc_types' | 'accepted_types'> {
  /** Metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The dependencies of a refusal by error code. Any other failure is temporary. */
const DEPENDS_ON: Readonly<Record<string, readonly (keyof RefusalReasons)[]>> = {
  invalid_filename: [],
  file_too_large: ['max_file_size'],
  unsupported_file_type: ['mrc_types', 'accepted_types'],
  invalid_mrc: ['mrc_types'],
  invalid_tiff: [],
  path_too_long: ['metadata'],
};

export class Refusals {
  readonly #journal: FolderJournal;
  #reasons: RefusalReasons;

  constructor(journal: FolderJournal, reasons: RefusalReasons) {
    this.#journal = journal;
    this.#reasons = reasons;
  }

  /** Current values of the server. */
  noteLimits(limits: Limits): void {
    this.#reasons = { ...this.#reasons, ...pickReasons(limits) };
  }

  /** @returns the valid refusal of this file; null when the file is to be sent. */
  find(path: string, facts: Facts, nowMs = Date.now()): Refused | null {
    const refused = this.#journal.findRefusal(path, facts);
    if (!refused) return null;
    const ageMs = nowMs - Date.parse(refused.at);
    const isSame = Object.entries(refused.depends_on).every(([name, value]) =>
      isEqual(this.#reasons[name as keyof RefusalReasons], value),
    );
    // A clock that was set back must not extend a refusal.
    return isSame && ageMs < LONGEST_MS && ageMs > -LONGEST_MS ? refused : null;
  }

  /** It is on disk when the promise resolves. */
  async note(path: string, facts: Facts, error: unknown): Promise<void> {
    const { code, message } = describeFailure(error);
    const names = DEPENDS_ON[code] ?? [];
    const depends_on = Object.fromEntries(names.map((name) => [name, this.#reasons[name]]));
    await this.#journal.note(path, facts, { refused: message, code, depends_on });
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
