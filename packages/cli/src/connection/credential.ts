/** Tokens and upload links that do not stand in the argument list, which every user of a machine can read (`ps`). */
import { readFileSync } from 'node:fs';
import { UsageError } from '../process/exit.ts';

/** Standard input can be read once. */
let standardInput: string | null = null;

/**
 * @param given itself, `@PATH` for the content of a file, or `-` for standard input. No token and no URL begins so.
 * @param name of the option or variable that it was given with.
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
