/** Reads tokens and upload links from files and standard input: every user of a machine can read arguments (`ps`). */
import { readFileSync } from 'node:fs';
import { describeSystemError } from '@cryolift/client/node';
import { decodeText, readTextFile } from '../files/text-file.ts';
import { UsageError } from '../process/exit.ts';

/** Standard input can be read once. */
let standardInput: string | null = null;

/**
 * @param given the value, `@PATH` for the content of a file, or `-` for standard input. No token or URL starts with
 * these.
 * @param name of the option or variable.
 * @throws UsageError when it cannot be read, is empty, or is not one word.
 */
export function readCredential(given: string, name: string): string {
  if (given !== '-' && !given.startsWith('@')) return given;
  const what = given === '-' ? 'standard input' : given.slice(1);
  let text: string;
  try {
    text = given === '-' ? readStandardInput() : readTextFile(what);
  } catch (error) {
    const reason =
      error instanceof UsageError ? error.message : `${what} cannot be read: ${describeSystemError(error)}`;
    throw new UsageError(`${name}: ${reason}`);
  }
  // Line ends of any system at its ends are not part of it.
  const credential = text.trim();
  if (credential === '') throw new UsageError(`${name}: ${what} is empty`);
  if (/\s/.test(credential)) throw new UsageError(`${name}: ${what} has more than one line or word`);
  return credential;
}

function readStandardInput(): string {
  standardInput ??= decodeText(readFileSync(0), 'standard input');
  return standardInput;
}
