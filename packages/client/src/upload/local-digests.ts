/**
 * The digests of parts that were read, while their source is in use. An upload that is paused and resumed, or compared
 * with several uploads of the server, reads no part twice.
 */
import type { Source } from '../ports.ts';

export class LocalDigests {
  readonly #bySource = new WeakMap<Source, Map<string, Uint8Array>>();

  /** @param partSizeBytes of the upload: parts of another size have other digests. */
  get(source: Source, partSizeBytes: number, idx: number): Uint8Array | undefined {
    return this.#bySource.get(source)?.get(keyOf(partSizeBytes, idx));
  }

  set(source: Source, partSizeBytes: number, idx: number, digest: Uint8Array): void {
    const digests = this.#bySource.get(source) ?? new Map<string, Uint8Array>();
    this.#bySource.set(source, digests);
    digests.set(keyOf(partSizeBytes, idx), digest);
  }

  /** The file may have other bytes now. */
  forget(source: Source): void {
    this.#bySource.delete(source);
  }
}

function keyOf(partSizeBytes: number, idx: number): string {
  return `${partSizeBytes} ${idx}`;
}
