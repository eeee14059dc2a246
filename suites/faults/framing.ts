/** Where heads and bodies lie in what goes one way over an HTTP/1.1 connection. */
import type { Piece } from './script.ts';

/** Bytes of a chunk that are all of one piece. */
export interface Stretch {
  readonly piece: Piece;
  readonly start: number;
  /** Not included. */
  readonly end: number;
  /** Number of the message, from 0. */
  readonly message: number;
  /** Its first line, once that is known; in an interim answer (1xx) `message` is that of the answer to come. */
  readonly firstLine: string;
  /** The message begins with this stretch. */
  readonly begins: boolean;
}

/** Reads messages framed by Content-Length or by nothing, which is all that the client and the server send each other. */
export class Framing {
  #head = '';
  #bodyLeft = 0;
  #message = 0;
  #firstLine = '';

  *stretches(chunk: Buffer): Generator<Stretch> {
    for (let at = 0; at < chunk.length; ) {
      const stretch = this.#bodyLeft > 0 ? this.#takeBody(chunk, at) : this.#takeHead(chunk, at);
      at = stretch.end;
      yield stretch;
    }
  }

  #takeBody(chunk: Buffer, start: number): Stretch {
    const end = Math.min(chunk.length, start + this.#bodyLeft);
    this.#bodyLeft -= end - start;
    const stretch: Stretch = {
      piece: 'body',
      start,
      end,
      message: this.#message,
      firstLine: this.#firstLine,
      begins: false,
    };
    if (this.#bodyLeft === 0) this.#message++;
    return stretch;
  }

  #takeHead(chunk: Buffer, start: number): Stretch {
    const before = this.#head.length;
    const text = this.#head + chunk.toString('latin1', start);
    const blank = text.indexOf('\r\n\r\n');
    const end = blank < 0 ? chunk.length : start + blank + 4 - before;
    this.#head = text.slice(0, before + end - start);
    this.#firstLine = this.#head.slice(0, this.#head.indexOf('\r\n'));
    const stretch: Stretch = {
      piece: 'head',
      start,
      end,
      message: this.#message,
      firstLine: this.#firstLine,
      begins: before === 0,
    };
    if (blank >= 0) this.#finishHead();
    return stretch;
  }

  #finishHead(): void {
    this.#bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1] ?? 0);
    const isInterim = this.#head.startsWith('HTTP/1.1 1');
    if (this.#bodyLeft === 0 && !isInterim) this.#message++;
    this.#head = '';
  }
}
