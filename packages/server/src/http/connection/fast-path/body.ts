/**
 * A body of many bytes, read from the connection directly into a receiver, without a parser, a stream or a Buffer per
 * chunk.
 */
import type { Socket } from 'node:net';
import type { BodyReceiver } from '../../../uploads/body-receiver.ts';
import { ClientGone } from '../../errors.ts';
import { Drain } from '../drain.ts';
import { BodyPump, type RequestBody } from '../request-body.ts';

export class FastPathBody implements RequestBody {
  readonly #socket: Socket;
  readonly #onComplete: () => void;
  /** Bytes of the body that came with the head, until `pipe` is called. */
  #early: Buffer;
  #awaited: number;
  #pump: BodyPump | null = null;
  #drain: Drain | null = null;

  /** @param early the body's first bytes. @param awaited the number of bytes that follow. */
  constructor(socket: Socket, early: Buffer, awaited: number, onComplete: () => void) {
    this.#socket = socket;
    this.#early = early;
    this.#awaited = awaited;
    this.#onComplete = onComplete;
    socket.pause();
  }

  /** The number of bytes that have not arrived. */
  get awaited(): number {
    return this.#awaited;
  }

  get complete(): boolean {
    return this.#awaited === 0;
  }

  async pipe(receiver: BodyReceiver<unknown>, idleTimeoutMs: number): Promise<void> {
    if (this.#socket.destroyed && !this.complete) throw new ClientGone();
    this.#pump = new BodyPump(receiver, idleTimeoutMs);
    this.#pass(this.#early);
    this.#early = Buffer.alloc(0);
    await this.#pump.done.finally(() => {
      this.#pump = null;
    });
  }

  /** @param bytes at most `awaited` bytes from the connection; the buffer may be reused at once. */
  write(bytes: Buffer): void {
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
  abort(): void {
    this.#drain?.end();
    if (!this.complete) this.#pump?.abort(new ClientGone());
  }

  #pass(bytes: Buffer): void {
    const pump = this.#pump;
    if (!pump) {
      this.#drop(bytes.length);
      return;
    }
    const ready = pump.write(bytes);
    if (ready) {
      this.#socket.pause();
      ready.then(() => this.#goOn(pump));
    } else this.#goOn(pump);
  }

  #goOn(pump: BodyPump): void {
    if (this.complete) {
      pump.commit();
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
