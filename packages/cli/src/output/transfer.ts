/** A running transfer, as the progress display receives it. */
export interface Transfer {
  /**
   * @param doneBytes acknowledged bytes.
   * @param state one word.
   * @param trouble the error that is being waited out, or null.
   * @param movedBytes bytes that went over the network, where they differ from `doneBytes`; rates are computed from
   *   them.
   */
  update(doneBytes: number, state: string, trouble: string | null, movedBytes?: number): void;
  /** The transfer has ended, with or without success. */
  end(): void;
}

export function describeState(state: string, trouble: string | null): string {
  return trouble === null ? state : `waiting: ${trouble}`;
}
