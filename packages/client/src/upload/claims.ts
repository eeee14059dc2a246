/**
 * The uploads that this program works on. Two similar files must not be sent to one upload at the same time, because
 * their parts would be mixed.
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
