/** Reads server-sent events from a `fetch` response. `EventSource` cannot send a token. */
import { createParser } from 'eventsource-parser';
import { ForeignReplyError } from '../failures.ts';

/** The longest event, in characters. Servers send shorter ones. */
const MAX_EVENT_LENGTH = 4 * 1024 * 1024;

interface StreamEvent {
  readonly data: string;
  /** For `Last-Event-ID`; '' before the first one. */
  readonly id: string;
}

/** A block of the stream. `data` is '' when it has an id only, `id` is null when it has none. */
interface Block {
  readonly data: string;
  readonly id: string | null;
}

/**
 * Yields the events as they arrive, and ends with the stream.
 *
 * @param onAlive is called for every chunk, also when it holds a comment only.
 * @param onId receives the id to continue from after a cut: after the event was consumed, and for a block that has only
 * an id.
 * @throws ForeignReplyError for an event that does not end.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onAlive: () => void,
  onId: (id: string) => void,
): AsyncGenerator<StreamEvent> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const blocks = new BlockReader();
  let id = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onAlive();
      for (const block of blocks.read(value)) {
        const blockId = block.id ?? id;
        if (block.data !== '') yield { data: block.data, id: blockId };
        if (blockId !== id) onId(blockId);
        id = blockId;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

class BlockReader {
  #blocks: Block[] = [];
  /** Characters since the last event, id or comment. The parser limits only the data that it keeps. */
  #unusedLength = 0;
  #isTooLong = false;
  readonly #parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onId: (id) => this.#add({ id, data: '' }),
    onEvent: ({ id = null, data }) => {
      // `onId` was called for the same block.
      if (id !== null) this.#blocks.pop();
      this.#add({ id, data });
    },
    onComment: () => {
      this.#unusedLength = 0;
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') this.#isTooLong = true;
    },
  });

  /** @returns the blocks that end in this chunk. */
  read(chunk: string): Block[] {
    this.#blocks = [];
    this.#unusedLength += chunk.length;
    this.#parser.feed(chunk);
    if (this.#isTooLong || this.#unusedLength > MAX_EVENT_LENGTH) {
      throw new ForeignReplyError('an event of the stream is too long');
    }
    return this.#blocks;
  }

  #add(block: Block): void {
    this.#blocks.push(block);
    this.#unusedLength = 0;
  }
}
