/** The bytes of uploads: each place of each upload has others, so that bytes at a wrong place are seen. */
import { createCipheriv, createHash } from 'node:crypto';

/** 0: what the client means to send; 1: other bytes of the same length. */
export type Variant = 0 | 1;

/** Adjacent bytes of one variant. */
export interface Run {
  readonly length: number;
  readonly variant: Variant;
}

const BLOCK_BYTES = 16;

/** @param content which file. @param offset bytes. @param length bytes. */
export function bytesOf(content: number, variant: Variant, offset: number, length: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(content * 2 + variant);
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(Math.floor(offset / BLOCK_BYTES), 12);
  const skipped = offset % BLOCK_BYTES;
  return createCipheriv('aes-128-ctr', key, counter)
    .update(Buffer.alloc(skipped + length))
    .subarray(skipped);
}

/** @returns the bytes of these runs, one after the other, from `offset` to before `end`. */
export function bytesOfRuns(content: number, runs: readonly Run[], offset: number, end: number): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { length, variant } of runs) {
    const [from, to] = [Math.max(at, offset), Math.min(at + length, end)];
    if (to > from) pieces.push(bytesOf(content, variant, from, to - from));
    at += length;
  }
  return Buffer.concat(pieces);
}

/** 64 hex digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** As a header has it (RFC 9530). @param hex 64 digits. */
export function digestHeader(hex: string): string {
  return `sha-256=:${Buffer.from(hex, 'hex').toString('base64')}:`;
}

/** No bytes have it. */
export const WRONG_SHA256 = 'ab'.repeat(32);
