/**
 * Limits the lines in the audit for calls that were refused or have failed, so that a caller who is refused again and
 * again does not fill the disk. Each second has a number of lines for each subject, and for all callers without a
 * subject together. Calls without a line are counted, and a later line has the number.
 */
import { LRUCache } from 'lru-cache';
import type { AuditEntry } from '../../ops/audit.ts';

const PER_SECOND = 20;
const MAX_SUBJECTS = 10_000;

interface Omitted {
  count: number;
  last: AuditEntry;
}

export class RefusedLines {
  readonly #written = new LRUCache<string, { second: number; lines: number }>({ max: MAX_SUBJECTS });
  readonly #omitted = new Map<string, Omitted>();

  /** @returns the line to write, with the number of lines omitted before it; null: this line is omitted and counted. */
  admit(entry: AuditEntry, nowMs: number): AuditEntry | null {
    const subject = entry.subject ?? '';
    const written = this.#writtenOf(subject, nowMs);
    const omitted = this.#omitted.get(subject)?.count ?? 0;
    if (written.lines >= PER_SECOND) {
      this.#omitted.set(subject, { count: omitted + 1, last: entry });
      return null;
    }
    written.lines++;
    this.#omitted.delete(subject);
    return omitted === 0 ? entry : { ...entry, omitted };
  }

  /**
   * The lines for omitted calls that no later call reports: the last call of each subject, with the number of calls
   * before it.
   *
   * @param nowMs returns the subjects that may have another line at this time; Infinity: all subjects.
   */
  takeOmitted(nowMs: number): AuditEntry[] {
    const due: AuditEntry[] = [];
    for (const [subject, { count, last }] of this.#omitted) {
      const written = this.#writtenOf(subject, nowMs);
      if (written.lines >= PER_SECOND) continue;
      written.lines++;
      this.#omitted.delete(subject);
      due.push(count === 1 ? last : { ...last, omitted: count - 1 });
    }
    return due;
  }

  #writtenOf(subject: string, nowMs: number): { second: number; lines: number } {
    const second = Math.floor(nowMs / 1000);
    const before = this.#written.get(subject);
    const written = before?.second === second ? before : { second, lines: 0 };
    this.#written.set(subject, written);
    return written;
  }
}
