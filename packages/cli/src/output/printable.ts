/** Text that comes from a server, a file or a file system, made safe for a terminal. */
import { CONTROL_CHARACTERS } from '@cryolift/protocol/filename';

const EACH = new RegExp(CONTROL_CHARACTERS.source, 'gu');
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Writes out every control character: ESC as `\x1b`, a line end as `
 *
 * `, characters that change the text direction as `\u202e`. The terminal then executes none of it (titles, clipboard,
 * typed answers), and no text can imitate another line.
 */
export function printable(text: string): string {
  return text.replace(EACH, (character) => SHORT[character] ?? writeOut(character));
}

/** As JSON, which escapes only C0: C1 and characters that change the text direction are escaped too. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(EACH, (character) => `\\u${hex(character, 4)}`);
}

function writeOut(character: string): string {
  return character < '\u0100' ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}
