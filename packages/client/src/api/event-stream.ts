/** Reading server-sent events (HTML Living Standard, section 9.2) with fetch, because EventSource can send no token. */

import { ForeignReplyError } from '../failures.ts';

/** No event of a server is longer, characters. */
const LONGEST_BLOCK = 4 * 1024 * 1024;

interface StreamEvent {
  readonly data: string;
  /** For Last-Event-ID; '' before the first one. */
  readonly id: string;
}

/**
 * Events as they come; ends when the stream does.
 *
 * @param onAlive told of every piece that arrives, comments included.
 * @param onId told where to go on after a cut: once the event was taken, and also by a block that has an id and no event.
 * @throws ForeignReplyError for an event that does not end.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onAlive: () => void,
  onId: (id: string) => void,
): AsyncGenerator<StreamEvent> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let id = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onAlive();
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop() ?? '';
      if (rest.length > LONGEST_BLOCK) throw new ForeignReplyError('an event of the stream does not end');
      for (const block of blocks) {
        const event = parseBlock(block, id);
        if (event.data !== '') yield event;
        if (event.id !== id) onId(event.id);
        id = event.id;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function parseBlock(block: string, lastId: string): StreamEvent {
  const fields = { data: '', id: lastId };
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(data|id): ?(.*)$/.exec(line) ?? [];
    if (field === 'data') fields.data += (fields.data === '' ? '' : '\n') + value;
    else if (field === 'id') fields.id = value;
  }
  return fields;
}
