/** One connection through the proxy, and what becomes of its bytes. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Framing, type Stretch } from './framing.ts';
import type { End, Fault, Piece, Side } from './script.ts';

export interface Watcher {
  /** The fault came to pass. */
  meet(fault: Fault): void;
  /** Bytes of a part came from the client. */
  countPart(bytes: number): void;
  /** Both sockets are closed. @param givenUp a part was on its way, and the fault is not why. */
  end(givenUp: boolean): void;
}

export class Wire {
  readonly #sockets: Record<Side, Socket>;
  readonly #fault: Fault | undefined;
  readonly #watcher: Watcher;
  readonly #framings: Record<Side, Framing> = { up: new Framing(), down: new Framing() };
  readonly #seen: Record<Side, Record<Piece, number>> = { up: { head: 0, body: 0 }, down: { head: 0, body: 0 } };
  readonly #over = new AbortController();
  /** Nothing passes until it resolves. */
  #gate: Promise<void> = Promise.resolve();
  #met = false;
  #dead = false;
  #cut = false;
  #open = 2;
  #carriesPart = false;

  /** @param client where requests come from. @param server where answers come from. */
  constructor(client: Socket, server: Socket, fault: Fault | undefined, watcher: Watcher) {
    this.#sockets = { up: client, down: server };
    this.#fault = fault;
    this.#watcher = watcher;
    for (const socket of [client, server]) {
      socket.on('error', () => {}).once('close', () => this.#noteClosed());
    }
    if (isSlow(fault)) this.#meet();
    void this.#pump('up', client, server);
    void this.#pump('down', server, client);
  }

  /** A part is on its way, or its answer; what rests in a dead wire is not. */
  get carriesPart(): boolean {
    return this.#carriesPart && !this.#cut && !this.#dead;
  }

  destroy(): void {
    this.#over.abort();
    for (const socket of Object.values(this.#sockets)) socket.resetAndDestroy();
  }

  async #pump(side: Side, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        await this.#pass(side, chunk, to);
        if (this.#cut) break;
      }
      await this.#gate;
      if (this.#cut) from.resume();
      to.end();
    } catch {
      // What a reset does to one end it does to the other, unless the wire is dead.
      await this.#gate;
      to.resetAndDestroy();
    }
  }

  /** Sends a chunk on, as far as the fault lets it. */
  async #pass(side: Side, chunk: Buffer, to: Socket): Promise<void> {
    const at = this.#look(side, chunk);
    await this.#gate;
    if (this.#cut) return;
    const fault = this.#fault;
    if (at === null) {
      if (fault?.kind === 'delay') await this.#sleep(fault.ms);
      await write(to, chunk);
      if (fault?.kind === 'throttle') await this.#sleep((chunk.length * 1000) / fault.bytesPerSecond);
      return;
    }
    this.#meet();
    if (fault?.kind === 'flip') {
      chunk[at] = (chunk[at] as number) ^ (1 << fault.bit);
      await write(to, chunk);
      return;
    }
    await write(to, chunk.subarray(0, at));
    if (fault?.kind === 'stall') {
      this.#dead = fault.forMs === null;
      this.#gate = fault.forMs === null ? this.#ended() : this.#sleep(fault.forMs);
      await this.#gate;
      await write(to, chunk.subarray(at));
    } else if (fault && 'end' in fault) {
      this.#end(fault.end);
    }
  }

  /** @returns where in the chunk the fault comes to pass; null: not here. */
  #look(side: Side, chunk: Buffer): number | null {
    let found: number | null = null;
    for (const stretch of this.#framings[side].stretches(chunk)) {
      this.#count(side, stretch);
      const at = this.#met ? null : this.#findIn(side, chunk, stretch);
      this.#seen[side][stretch.piece] += stretch.end - stretch.start;
      found ??= at;
    }
    return found;
  }

  #findIn(side: Side, chunk: Buffer, { piece, start, end, begins, message, firstLine }: Stretch): number | null {
    const fault = this.#fault;
    if (fault?.kind === 'drop-reply') {
      const isIt = side === 'down' && begins && message === fault.answer && !firstLine.startsWith('HTTP/1.1 1');
      return isIt ? start : null;
    }
    if (!fault || !('spot' in fault) || fault.spot.side !== side || fault.spot.piece !== piece) return null;
    const { at: wanted } = fault.spot;
    const at =
      typeof wanted === 'number'
        ? start + wanted - this.#seen[side][piece]
        : findAfter(wanted, chunk.subarray(0, end), start);
    return at >= start && at < end ? at : null;
  }

  #count(side: Side, { piece, start, end, begins, firstLine }: Stretch): void {
    if (side === 'up' && piece === 'body' && firstLine.startsWith('PUT ')) {
      this.#carriesPart = true;
      this.#watcher.countPart(end - start);
    }
    if (side === 'down' && begins && !firstLine.startsWith('HTTP/1.1 1')) this.#carriesPart = false;
  }

  #meet(): void {
    if (this.#met || !this.#fault) return;
    this.#met = true;
    this.#watcher.meet(this.#fault);
  }

  #end(how: End): void {
    this.#cut = true;
    for (const socket of Object.values(this.#sockets)) {
      if (how === 'rst') socket.resetAndDestroy();
      else socket.end();
    }
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#over.signal }).catch(() => {});
  }

  /** Resolves when the wire is taken away. */
  async #ended(): Promise<void> {
    if (!this.#over.signal.aborted) await once(this.#over.signal, 'abort');
  }

  #noteClosed(): void {
    this.#open--;
    if (this.#open > 0) return;
    this.#over.abort();
    this.#watcher.end(this.#carriesPart && (!this.#met || isSlow(this.#fault)));
  }
}

/** @returns where the text ends; -1 when it is not there. */
function findAfter(text: string, bytes: Buffer, start: number): number {
  const at = bytes.indexOf(text, start, 'latin1');
  return at < 0 ? -1 : at + text.length;
}

function isSlow(fault: Fault | undefined): boolean {
  return fault?.kind === 'delay' || fault?.kind === 'throttle';
}

/** @returns once the system took the bytes, or the socket is closed. */
async function write(to: Socket, bytes: Buffer): Promise<void> {
  if (bytes.length === 0 || !to.writable) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  to.once('close', resolve);
  to.write(bytes, () => resolve());
  await promise;
  to.off('close', resolve);
}
