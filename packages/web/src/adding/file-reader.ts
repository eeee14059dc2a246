/** Reads ranges of a local file, as the checks of `@cryolift/mrc` ask for them. */
export function readerOf(file: File) {
  return {
    /** Fills `target` with the bytes from `offset` on. */
    read: async (offset: number, target: Uint8Array) =>
      target.set(new Uint8Array(await file.slice(offset, offset + target.length).arrayBuffer())),
  };
}
