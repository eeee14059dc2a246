/** A thread that hashes and writes blocks of shared memory in order. */
import { createHash, type Hash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { durableStep } from '../../../durable-step.ts';
import { SLOT_BYTES } from './slots.ts';

/** To the worker: a block of a sink; `fd` null: hash only. */
export interface BlockMessage {
  kind: 'block';
  sink: number;
  slot: number;
  length: number;
  fd: number | null;
  position: number;
}
/** To the worker: no more blocks of this sink. */
export interface EndMessage {
  kind: 'end';
  sink: number;
}
/** From the worker: the slot is free again; with the system's error code when the block could not be written. */
export interface BlockDone {
  kind: 'block';
  sink: number;
  slot: number;
  length: number;
  error: string | null;
}
/** From the worker: all blocks of this sink are done. */
export interface EndDone {
  kind: 'end';
  sink: number;
  sha256: Uint8Array;
}

if (!parentPort) throw new Error('write-worker runs as a worker thread');
const port = parentPort;
// The log would be lost in a killed process.
flushCompileCache();
const memory = workerData as SharedArrayBuffer;
const hashes = new Map<number, Hash>();

port.on('message', (message: BlockMessage | EndMessage) => {
  if (message.kind === 'block') port.postMessage(handleBlock(message));
  else port.postMessage(handleEnd(message));
});

function handleBlock({ sink, slot, length, fd, position }: BlockMessage): BlockDone {
  const bytes = new Uint8Array(memory, slot * SLOT_BYTES, length);
  let hash = hashes.get(sink);
  if (!hash) {
    hash = createHash('sha256');
    hashes.set(sink, hash);
  }
  hash.update(bytes);
  let error: string | null = null;
  if (fd !== null) {
    try {
      durableStep('disk.write', () => {
        for (let at = 0; at < length; ) at += writeSync(fd, bytes, at, length - at, position + at);
      });
    } catch (cause) {
      error = (cause as NodeJS.ErrnoException).code ?? 'EIO';
    }
  }
  return { kind: 'block', sink, slot, length, error };
}

function handleEnd({ sink }: EndMessage): EndDone {
  const hash = hashes.get(sink) ?? createHash('sha256');
  hashes.delete(sink);
  return { kind: 'end', sink, sha256: new Uint8Array(hash.digest()) };
}
