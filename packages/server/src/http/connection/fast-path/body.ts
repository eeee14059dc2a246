/** The body of a part, read from the connection itself into a reception: no parser, no stream, no Buffer per chunk. */
import type { Socket } from 'node:net';
import type { Reception } from '../../../uploads/part-receiver.ts';
import { ClientGone } from '../../errors.ts';
import { Drain } from '../drain.ts';
import { Feeding, type RequestBody } from '../request-body.ts';

export class LaneBody implements RequestBody {
  readonly #socket: Socket;
  readonly #onComplete: () => void;
  /** Bytes of the body that came with the head, until somebody wants them. */
  #early: Buffer;
  #awaited: number;
  #feeding: Feeding | null = null;
  #drain: Drain | null = null;

  /** @param early the body's first bytes. @param awaited how many are to follow. */
  constructor(socket: Socket, early: Buffer, awaited: number, onComplete: () => void) {
    this.#socket = socket;
    this.#early = early;
    this.#awaited = awaited;
    this.#onComplete = onComplete;
    socket.pause();
  }

  /** Bytes that have not come yet. */
  get awaited(): number {
    return this.#awaited;
  }

  get complete(): boolean {
    return this.#awaited === 0;
  }

  async feed(reception: Reception, idleTimeoutMs: number): Promise<void> {
    if (this.#socket.destroyed && !this.complete) throw new ClientGone();
    this.#feeding = new Feeding(reception, idleTimeoutMs);
    this.#pass(this.#early);
    this.#early = Buffer.alloc(0);
    await this.#feeding.done.finally(() => {
      this.#feeding = null;
    });
  }

  /** At most `awaited` bytes from the connection, in memory that is reused at once. */
  take(bytes: Buffer): void {
    this.#awaited -= bytes.length;
    this.#pass(bytes);
  }

  async drain(): Promise<void> {
    if (this.complete || this.#socket.destroyed) return;
    this.#drain ??= new Drain(() => this.#socket.destroy());
    this.#socket.resume();
    await this.#drain.done;
  }

  /** The connection has ended. */
  abandon(): void {
    this.#drain?.end();
    if (!this.complete) this.#feeding?.fail(new ClientGone());
  }

  #pass(bytes: Buffer): void {
    const feeding = this.#feeding;
    if (!feeding) {
      this.#drop(bytes.length);
      return;
    }
    const room = feeding.take(bytes);
    if (room) {
      this.#socket.pause();
      room.then(() => this.#goOn(feeding));
    } else this.#goOn(feeding);
  }

  #goOn(feeding: Feeding): void {
    if (this.complete) {
      feeding.end();
      this.#onComplete();
    } else this.#socket.resume();
  }

  #drop(count: number): void {
    this.#drain?.note(count);
    if (!this.complete) return;
    this.#drain?.end();
    this.#onComplete();
  }
}
