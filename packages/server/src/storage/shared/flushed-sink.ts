/** A sink whose bytes are flushed, and whose file is closed, before the part is committed. */
import type { DiskCalls, FileHandle } from '../disk/file-system.ts';
import type { WriteTarget } from '../disk/threads/writers.ts';
import type { CommittedPart, PartSink } from '../upload-storage.ts';

export class FlushedSink implements PartSink {
  readonly #calls: DiskCalls;
  readonly #handle: FileHandle;
  readonly #receipt: string;
  readonly #sink: PartSink;
  #committed: Promise<CommittedPart> | null = null;
  #closed: Promise<void> | null = null;

  /**
   * @param handle closed by the sink. @param receipt of the parts that are written to it.
   * @param open opens the sink that writes to this target.
   */
  constructor(
    calls: DiskCalls,
    handle: FileHandle,
    receipt: string,
    open: (target: Omit<WriteTarget, 'offset'>) => PartSink,
  ) {
    this.#calls = calls;
    this.#handle = handle;
    this.#receipt = receipt;
    this.#sink = open({ fd: handle.fd, onWritten() {}, whenWritable: () => undefined, onSettled() {} });
  }

  write(bytes: Buffer): Promise<void> | undefined {
    return this.#sink.write(bytes);
  }

  async commit(): Promise<CommittedPart> {
    this.#committed ??= this.#flush();
    return await this.#committed;
  }

  async abort(): Promise<void> {
    // A flush may use the descriptor.
    await this.#committed?.catch(() => {});
    await this.#sink.abort();
    // What it did not keep does not matter.
    await this.#close().catch(() => {});
  }

  async #flush(): Promise<CommittedPart> {
    try {
      const { sha256 } = await this.#sink.commit();
      await this.#calls.sync(this.#handle);
      // NFS may report only here that bytes are lost.
      await this.#close();
      return { sha256, receipt: this.#receipt };
    } catch (error) {
      await this.#sink.abort();
      await this.#close().catch(() => {});
      throw error;
    }
  }

  #close(): Promise<void> {
    this.#closed ??= this.#calls.close(this.#handle);
    return this.#closed;
  }
}
