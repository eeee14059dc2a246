/** An object that is read over HTTP by a signed URL, in a worker thread. */
import type { ByteSource } from '../byte-source.ts';

/** Asked for at once when bytes are read in their order. */
const AHEAD_BYTES = 8 * 1024 * 1024;
const TRIES = 3;

interface Block {
  start: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** @param url that answers GET with ranges (RFC 9110). @throws an error with a code of the system. */
export function openHttpSource(url: string): ByteSource {
  let block: Block = { start: 0, bytes: Buffer.alloc(0) };
  return {
    async read(offsetBytes, target) {
      const { start, bytes } = block;
      const end = start + bytes.length;
      if (offsetBytes >= start && offsetBytes + target.length <= end) {
        target.set(bytes.subarray(offsetBytes - start, offsetBytes - start + target.length));
        return;
      }
      const isNext = offsetBytes === end || (offsetBytes > start && offsetBytes < end);
      const wanted = isNext ? Math.max(AHEAD_BYTES, target.length) : target.length;
      const fetched = await fetchRange(url, offsetBytes, wanted);
      if (fetched.length < target.length) {
        throw Object.assign(new Error('the object is shorter than its record says'), { code: 'ENODATA' });
      }
      target.set(fetched.subarray(0, target.length));
      block = { start: offsetBytes, bytes: fetched };
    },
    async close() {
      block = { start: 0, bytes: Buffer.alloc(0) };
    },
  };
}

/** @returns fewer bytes at the end of the object. */
async function fetchRange(url: string, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url, { headers: { range: `bytes=${start}-${start + length - 1}` } });
      if (response.status === 206) return new Uint8Array(await response.arrayBuffer());
      await response.body?.cancel();
      if (response.status === 404) throw Object.assign(new Error('there is no such object'), { code: 'ENOENT' });
      if (response.status === 416) return new Uint8Array();
      throw Object.assign(new Error(`the object storage answers ${response.status}`), { code: 'EIO' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || attempt === TRIES) throw toSystemError(error);
    }
  }
}

/** `fetch` has its reasons in `cause`. */
function toSystemError(error: unknown): Error {
  const { code, cause } = error as NodeJS.ErrnoException;
  const reason = code ?? (cause as NodeJS.ErrnoException | undefined)?.code;
  return Object.assign(error as Error, { code: reason?.startsWith('E') ? reason : 'EIO' });
}
