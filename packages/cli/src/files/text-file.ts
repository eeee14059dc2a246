/** Small text files that people write: settings, tokens, upload links. */
import { readFileSync } from 'node:fs';
import { UsageError } from '../process/exit.ts';

/**
 * Decodes UTF-8, with or without a byte order mark, and UTF-16 with one, which `>` of Windows PowerShell 5 writes.
 *
 * @param name for the message. @returns the text without the mark; line ends are kept.
 * @throws UsageError for bytes that are neither.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${name} is not a text file in UTF-8`);
  }
}

/** @throws the system's error; UsageError as `decodeText`. */
export function readTextFile(path: string): string {
  return decodeText(readFileSync(path), path);
}
