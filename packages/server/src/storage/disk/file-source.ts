/** A file of the local disk, read in a worker thread. The calls are synchronous: the thread has nothing else to do. */
import { closeSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ByteSource } from '../byte-source.ts';

/** @param url `file:`. @throws an error of the system. */
export function openFileSource(url: string): ByteSource {
  const fd = openSync(fileURLToPath(url), 'r');
  return {
    async read(offsetBytes, target) {
      for (let done = 0; done < target.length; ) {
        const count = readSync(fd, target, done, target.length - done, offsetBytes + done);
        if (count === 0)
          throw Object.assign(new Error('the file is shorter than its record says'), { code: 'ENODATA' });
        done += count;
      }
    },
    async close() {
      try {
        closeSync(fd);
      } catch {
        // The bytes were read correctly.
      }
    },
  };
}
