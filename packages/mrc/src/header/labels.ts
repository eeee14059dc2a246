import { LABEL_COUNT } from './layout.ts';

/**
 * The labels in use: the first NLABL that are not empty. Labels after them are left over from another file. All ten are
 * used when NLABL is below 0 or above 10.
 */
export function labelsOf({ label, nlabl }: { readonly label: readonly string[]; readonly nlabl: number }): string[] {
  const used = nlabl < 0 ? LABEL_COUNT : Math.min(nlabl, LABEL_COUNT);
  return label.slice(0, used).filter((text) => text !== '');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** The padding of a label. */
const PADDING = /^\s+|[\s\0]+$/g;
/** Invisible characters: control, format, private, unassigned, and line separators. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * The text of a label without its padding. The standard requires ASCII. Other bytes are read as UTF-8 if they are
 * valid, otherwise as Latin-1. Invisible characters are replaced by their symbol (␇) or number (<U+202E>).
 */
export function decodeLabel(bytes: Uint8Array): string {
  // Programs in C leave earlier data after an empty text.
  if (bytes[0] === 0) return '';
  return decodeText(bytes).replace(PADDING, '').replace(INVISIBLE, show);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return decodeCut(bytes) ?? Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
}

/** Decodes a full label that ends within a UTF-8 character after other such characters; null for any other bytes. */
function decodeCut(bytes: Uint8Array): string | null {
  for (let missing = 1; missing <= 3; missing++) {
    const whole = bytes.subarray(0, bytes.length - missing);
    try {
      const text = utf8.decode(whole);
      if (/[^\0-\x7f]/.test(text)) return text;
    } catch {
      // The cut is shorter, or the bytes are not UTF-8.
    }
  }
  return null;
}

function show(char: string): string {
  const code = char.codePointAt(0) as number;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}
