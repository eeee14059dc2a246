/** What this machine allows: reading a disk, hashing, encrypting. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Measured, notMeasured, rateOf } from './measure.ts';

const PIECE_BYTES = 1024 * 1024;
/** Fewer are read in too little time. */
const LEAST_BYTES = 1024 * 1024;
/** Files of a folder that are looked at. */
const MAX_FILES = 10_000;
const KEY_BYTES = 16;
const IV_BYTES = 12;

/** Reads files for `ms` at most. @param path a file or a folder; undefined: none was given. */
export async function measureDisk(path: string | undefined, ms: number, signal: AbortSignal): Promise<Measured> {
  if (path === undefined) return notMeasured('disk', 'give a file or a folder with --from');
  const into = Buffer.alloc(PIECE_BYTES);
  let bytes = 0;
  const startedMs = performance.now();
  const elapsed = () => performance.now() - startedMs;
  for await (const file of listFiles(path)) {
    const handle = await open(file);
    try {
      while (elapsed() < ms) {
        signal.throwIfAborted();
        const { bytesRead } = await handle.read(into, 0, PIECE_BYTES, null);
        if (bytesRead === 0) break;
        bytes += bytesRead;
      }
    } finally {
      await handle.close();
    }
    if (elapsed() >= ms) break;
  }
  if (bytes < LEAST_BYTES) return notMeasured('disk', `${path} has too few bytes`);
  return rateOf('disk', bytes, elapsed(), 'reading; files that were read a short time ago come from memory');
}

async function* listFiles(path: string): AsyncGenerator<string> {
  if (!(await stat(path)).isDirectory()) return yield path;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile()).slice(0, MAX_FILES)) {
    yield join(entry.parentPath, entry.name);
  }
}

/** The SHA-256 of every byte that is sent, on one core. */
export function measureHash(ms: number): Measured {
  const hash = createHash('sha256');
  return measureLoop('hash', ms, 'SHA-256, on one core', (piece) => hash.update(piece));
}

/** @param isUsed the server has TLS. */
export function measureTls(ms: number, isUsed: boolean): Measured {
  if (!isUsed) return notMeasured('tls', 'the URL of the server has no TLS');
  const cipher = createCipheriv('aes-128-gcm', randomBytes(KEY_BYTES), randomBytes(IV_BYTES));
  return measureLoop('tls', ms, 'AES-128-GCM, on one core', (piece) => cipher.update(piece));
}

function measureLoop(what: Measured['what'], ms: number, note: string, work: (piece: Buffer) => unknown): Measured {
  const piece = randomBytes(PIECE_BYTES);
  let bytes = 0;
  const startedMs = performance.now();
  do {
    work(piece);
    bytes += PIECE_BYTES;
  } while (performance.now() - startedMs < ms);
  return rateOf(what, bytes, performance.now() - startedMs, note);
}
