/** Reads tokens and upload links from files and standard input: every user of a machine can read arguments (`ps`). */
import { readFileSync } from 'node:fs';
import { describeSystemError } from '@cryolift/client/node';
import { UsageError } from '../process/exit.ts';

/** Standard input can be read once. */
let standardInput: string | null = null;

/**
 * @param given the value, `@PATH` for the content of a file, or `-` for standard input. No token or URL starts with
 * these.
 * @param name of the option or variable.
 * @throws UsageError when it cannot be read, or is empty.
 */
export function readCredential(given: string, name: string): string {
  if (given !== '-' && !given.startsWith('@')) return given;
  const what = given === '-' ? 'standard input' : given.slice(1);
  let text: string;
  try {
    text = given === '-' ? readStandardInput() : decode(readFileSync(what));
  } catch (error) {
    throw new UsageError(`${name}: ${what} cannot be read: ${describeSystemError(error)}`);
  }
  if (text.trim() === '') throw new UsageError(`${name}: ${what} is empty`);
  return text.trim();
}

function readStandardInput(): string {
  standardInput ??= decode(readFileSync(0));
  return standardInput;
}

/** UTF-8, or UTF-16 with a byte order mark, as `>` of Windows PowerShell 5 writes. */
function decode(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes);
}
