/** Stored bytes, read in a worker thread. */
export interface ByteSource {
  /**
   * Fills `target` with the bytes from `offsetBytes` on.
   *
   * @throws an error with the code `ENODATA` when there are fewer.
   */
  read(offsetBytes: number, target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
