import type { Load } from '../load.ts';
import type { MeasuredProcess } from '../process.ts';

/** One thing that receives files. */
export interface System {
  readonly name: string;
  /** What it does with the bytes, for the reader of the table. */
  readonly what: string;
  /** A fresh server that writes below `folder`, which is empty. */
  start(folder: string, load: Load): Promise<Subject>;
}

export interface Subject {
  readonly process: MeasuredProcess;
  /** Sends the load; resolves when all of it is acknowledged. @returns bytes sent. */
  send(): Promise<number>;
  /** What a client has to wait for after that, if anything. */
  complete?(): Promise<void>;
}
