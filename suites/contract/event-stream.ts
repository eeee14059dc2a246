/** A reader of server-sent events (WHATWG HTML, section 9.2) whose data are CloudEvents 1.0. */
import assert from 'node:assert/strict';
import type { Target } from '../server-under-test.ts';
import type { Claims } from './token.ts';

export interface ReceivedEvent<Data> {
  /** The number to go on behind. */
  readonly seq: string;
  /** Of the CloudEvent. */
  readonly id: string;
  /** The name on the wire. */
  readonly name: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Data;
}

/** Seconds after which a reader gives up on the next event. */
const SILENCE_MS = 30_000;

export class EventStream<Data> {
  readonly response: Response;
  readonly #abort: AbortController;
  readonly #received: AsyncGenerator<ReceivedEvent<Data>>;
  /** What a reader that comes back sends. */
  lastId = '';

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#received = this.#read();
  }

  /** @throws Error when the answer is not a stream. */
  static async open<Data>(
    target: Pick<Target, 'url' | 'token'>,
    path: string,
    claims: Claims,
    lastId?: string,
  ): Promise<EventStream<Data>> {
    const abort = new AbortController();
    const headers = {
      authorization: `Bearer ${target.token(claims)}`,
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    };
    const response = await fetch(`${target.url}${path}`, { headers, signal: abort.signal });
    assert.equal(response.status, 200, `${path}: ${response.status}`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream(; ?charset=utf-8)?$/);
    return new EventStream(response, abort);
  }

  /** The next event; null when the server has ended the stream in good order. @throws when it broke off. */
  async next(): Promise<ReceivedEvent<Data> | null> {
    const timer = setTimeout(() => this.#abort.abort(new Error(`no event for ${SILENCE_MS} ms`)), SILENCE_MS);
    const { value, done } = await this.#received.next().finally(() => clearTimeout(timer));
    return done ? null : value;
  }

  /** All events up to the end. */
  async rest(): Promise<ReceivedEvent<Data>[]> {
    const all: ReceivedEvent<Data>[] = [];
    for (let received = await this.next(); received; received = await this.next()) all.push(received);
    return all;
  }

  /** Events up to the first that is wanted, with it. */
  async until(isWanted: (received: ReceivedEvent<Data>) => boolean): Promise<ReceivedEvent<Data>[]> {
    const all: ReceivedEvent<Data>[] = [];
    for (;;) {
      const received = await this.next();
      assert.ok(received, `the stream ended after ${all.map(({ type }) => type)}`);
      all.push(received);
      if (isWanted(received)) return all;
    }
  }

  close(): void {
    this.#abort.abort();
  }

  async *#read(): AsyncGenerator<ReceivedEvent<Data>> {
    let text = '';
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for await (const chunk of this.response.body as ReadableStream<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() as string;
      for (const block of blocks) {
        const received = this.#parse(block);
        if (received) yield received;
      }
    }
    assert.equal(text, '', 'the stream ended within an event');
  }

  #parse(block: string): ReceivedEvent<Data> | null {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([a-z]*)(?:: ?(.*))?$/.exec(line) ?? assert.fail(`not a line: ${line}`);
      if (name !== '') assert.ok(!fields.has(name), `${name} twice in ${block}`);
      fields.set(name, value);
    }
    this.lastId = fields.get('id') ?? this.lastId;
    const data = fields.get('data');
    if (data === undefined) return null;
    const event = JSON.parse(data) as Record<string, string> & { data: Data };
    const { specversion, id, source, type = '', subject = '', time, datacontenttype, ...rest } = event;
    assert.deepEqual([specversion, datacontenttype], ['1.0', 'application/json']);
    for (const attribute of [id, source, type, subject]) assert.ok(typeof attribute === 'string' && attribute !== '');
    assert.match(time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(Object.keys(rest), ['data']);
    return {
      seq: this.lastId,
      id: id as string,
      name: fields.get('event') ?? 'message',
      type,
      subject,
      data: event.data,
    };
  }
}
