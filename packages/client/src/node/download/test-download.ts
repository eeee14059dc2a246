/** A file on a test server that records the requested ranges. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { FileRecord } from '@cryolift/protocol/messages';
import { Api } from '../../api/api.ts';
import { SourceError, type TargetError } from '../../failures.ts';
import type { Transport, WireReply } from '../../ports.ts';
import { digest } from '../../test-server.ts';

/** Three ranges, the last one short. */
export const BYTES = randomBytes(2 * 8 * 1024 * 1024 + 1000);
export const SHA256 = digest(BYTES).toString('hex');
export const FILE = { file_id: 'f1', size: BYTES.length, sha256: SHA256 } as FileRecord;

export class FileServer implements Transport {
  /** Requested ranges. */
  asked: string[] = [];
  /** May change each answer. */
  tamper: (range: string, answer: () => WireReply) => WireReply = (_range, answer) => answer();
  /** Delay of each answer. */
  ready: Promise<void> | null = null;
  readonly api = new Api(this, async () => 'token');

  async send({ headers, signal }: Parameters<Transport['send']>[0]): Promise<WireReply> {
    signal?.throwIfAborted();
    const range = headers.range ?? '';
    this.asked.push(range);
    if (this.ready) await this.ready;
    return this.tamper(range, () => {
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
      assert.equal(headers['if-range'], `"${SHA256}"`);
      return { status: 206, headers: {}, body: BYTES.subarray(Number(start), Number(end) + 1) };
    });
  }
}

export function isIntegrity(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'integrity';
}

export function isFault(code: TargetError['code']) {
  return (error: unknown) => (error as TargetError).name === 'TargetError' && (error as TargetError).code === code;
}
