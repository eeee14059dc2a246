/** One running transfer, as whoever shows it is told of it. */
export interface Transfer {
  /**
   * @param doneBytes acknowledged ones. @param state in a word. @param trouble that is being waited out, if any.
   * @param movedBytes that went over the network by now, where these are others than the done ones: rates are of them.
   */
  update(doneBytes: number, state: string, trouble: string | null, movedBytes?: number): void;
  /** It is over, whichever way. */
  end(): void;
}

export function describeState(state: string, trouble: string | null): string {
  return trouble === null ? state : `waiting: ${trouble}`;
}
