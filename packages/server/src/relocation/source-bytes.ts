/** The bytes of a published file, from its first to its last, through interruptions. */
import type { FilePlace } from '../storage/places.ts';
import type { Storage } from '../storage/storage.ts';
import { FileFault } from './faults.ts';

/** Interruptions in a row without a byte between them. */
const MAX_BREAKS = 4;

/** @throws FileFault. What its consumer throws is not caught here. */
export async function* readPublished({ files }: Storage, place: FilePlace): AsyncGenerator<Buffer> {
  const { sizeBytes } = place;
  const found = await orUnreadable(files.stat(place));
  if (found === null) throw new FileFault('missing', 'The storage has no such file.');
  if (found !== sizeBytes) throw new FileFault('damaged', `The storage has ${found} of its ${sizeBytes} bytes.`);
  let at = 0;
  for (let breaks = 0; at < sizeBytes; ) {
    const bytes = await orUnreadable(files.read(place, { start: at, end: sizeBytes - 1 }));
    if (!bytes) throw new FileFault('missing', 'The storage has no such file.');
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        at += chunk.length;
        breaks = 0;
        yield chunk;
      }
    } catch (error) {
      if (++breaks === MAX_BREAKS) throw new FileFault('unreadable', (error as Error).message);
      continue;
    }
    if (at < sizeBytes) throw new FileFault('damaged', `The storage has ${at} of its ${sizeBytes} bytes.`);
  }
}

async function orUnreadable<T>(answer: Promise<T>): Promise<T> {
  return await answer.catch((error: Error) => {
    throw new FileFault('unreadable', error.message);
  });
}
