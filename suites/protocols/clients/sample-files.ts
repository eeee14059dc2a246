/** MRC files on the disk that clients upload. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileRecord } from '@cryolift/protocol/messages';
import { makeMrc, sha256Hex } from '../../contract/sample.ts';

export interface SampleFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
}

export class SampleFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'cryolift-protocols-'));

  make(name: string, sizeBytes: number): SampleFile {
    return this.write(name, makeMrc(sizeBytes));
  }

  write(name: string, bytes: Buffer): SampleFile {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    return { name, path, bytes };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** The record is that of the file, under its name. */
export function assertRecord(file: FileRecord, { name, bytes }: SampleFile): void {
  assert.deepEqual([file.filename, file.size, file.sha256], [name, bytes.length, sha256Hex(bytes)]);
}
