import type { Kind, Load } from '../load.ts';
import type { Measured } from '../process.ts';

/** One thing that receives or sends files. */
export interface System {
  readonly name: string;
  /** What it does with the bytes, for the reader of the table. */
  readonly what: string;
  /** Which loads it gets. */
  readonly kind: Kind;
  /** The name of the system that does the same with the bytes and nothing else. */
  readonly floor: string;
  /** A fresh server that writes below `folder`, which is empty. */
  start(folder: string, load: Load): Promise<Subject>;
}

export interface Subject {
  readonly process: Measured;
  /** Sends the load, or receives it; resolves when all of it is acknowledged. @returns bytes. */
  send(): Promise<number>;
  /** What a client has to wait for after that, if anything. */
  complete?(): Promise<void>;
}
