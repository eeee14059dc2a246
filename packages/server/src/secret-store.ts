/** A secret that is replaced from time to time: in a file of one server, or in the database of several. */
export interface SecretStore {
  /** Null when there is none yet. */
  read(): Promise<string | null>;
  /**
   * It is flushed on return, because its signatures are given to clients.
   *
   * @param before what was read: when another server has replaced it since, nothing is written.
   * @returns whether it was written.
   */
  replace(text: string, before: string | null): Promise<boolean>;
}
