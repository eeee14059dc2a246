/**
 * Which uploads this program works on, and for which file: two files that look alike must not be sent to one upload at the
 * same time, for their parts would be mixed there.
 */
export class Claims {
  readonly #uploadIds = new Set<string>();

  /** @returns false when another file is being sent to this upload. */
  take(uploadId: string): boolean {
    if (this.#uploadIds.has(uploadId)) return false;
    this.#uploadIds.add(uploadId);
    return true;
  }

  release(uploadId: string): void {
    this.#uploadIds.delete(uploadId);
  }
}
