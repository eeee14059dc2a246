import { LABEL_COUNT } from './layout.ts';

/**
 * The labels in use: the first NLABL, but for empty ones. What stands behind them is left over from another file. An
 * NLABL below 0 says nothing, so that all ten count; one above 10 means all.
 */
export function labelsOf({ label, nlabl }: { readonly label: readonly string[]; readonly nlabl: number }): string[] {
  const used = nlabl < 0 ? LABEL_COUNT : Math.min(nlabl, LABEL_COUNT);
  return label.slice(0, used).filter((text) => text !== '');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** What pads a label. */
const PADDING = /^\s+|[\s\0]+$/g;
/** What cannot be shown: control, format, private and unassigned characters, and those that break lines. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * The text of a label without its padding. It is ASCII by the standard; where it is not, it is UTF-8 when it can be,
 * otherwise Latin-1. Characters that cannot be seen are shown by their symbol (␇) or number (<U+202E>).
 */
export function decodeLabel(bytes: Uint8Array): string {
  // Of programs in C: an empty text, and behind it what was there before.
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

/** A label that is full may end within a character of UTF-8; then it has others before. Null when it is no such one. */
function decodeCut(bytes: Uint8Array): string | null {
  for (let missing = 1; missing <= 3; missing++) {
    const whole = bytes.subarray(0, bytes.length - missing);
    try {
      const text = utf8.decode(whole);
      if (/[^\0-\x7f]/.test(text)) return text;
    } catch {
      // Shorter still, or not UTF-8.
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
