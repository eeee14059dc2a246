/** Reads tokens and upload links from files and standard input: every user of a machine can read arguments (`ps`). */
import { readFileSync } from 'node:fs';
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
    text = given === '-' ? readStandardInput() : readFileSync(what, 'utf8');
  } catch (error) {
    throw new UsageError(`${name}: ${what} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (text.trim() === '') throw new UsageError(`${name}: ${what} is empty`);
  return text.trim();
}

function readStandardInput(): string {
  standardInput ??= readFileSync(0, 'utf8');
  return standardInput;
}
