/** Reads stored bytes in a worker thread, wherever they are stored. */
import { openFileSource } from './disk/file-source.ts';

export interface ByteSource {
  /**
   * Fills `target` with the bytes from `offsetBytes` on.
   *
   * @throws an error with the code `ENODATA` when there are fewer.
   */
  read(offsetBytes: number, target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** @param url as `FileStorage.locate` and `PrefixReader.locate` give it. @throws an error with a code of the system. */
export async function openByteSource(url: string): Promise<ByteSource> {
  const { protocol } = new URL(url);
  if (protocol === 'file:') return openFileSource(url);
  throw new Error(`no storage has URLs of ${protocol}`);
}
