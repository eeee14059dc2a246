/** A running transfer as seen by the progress display. */
export interface Transfer {
  /**
   * @param doneBytes acknowledged bytes.
   * @param state one word.
   * @param lastError the error after which the transfer waits, or null.
   * @param movedBytes bytes of the file that went over the network, compressed or not, where they differ from
   *   `doneBytes`; rates are computed from them.
   */
  update(doneBytes: number, state: string, lastError: string | null, movedBytes?: number): void;
  /** The transfer has ended, with or without success. */
  end(): void;
}

export function describeState(state: string, lastError: string | null): string {
  return lastError === null ? state : `waiting: ${lastError}`;
}
