/** Reading the values of settings that are no sizes and durations. Each throws an Error that says what is expected. */
import { isIP } from 'node:net';
import { parseBounded } from '@cryolift/protocol/quantity';

export function parseBoolean(text: string): boolean {
  const value = text.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(value)) return true;
  if (['false', '0', 'no', 'off'].includes(value)) return false;
  throw new Error(`"${text}" is neither true nor false`);
}

/** `true`, how many proxies stand in a row, or their addresses. @returns a number, 0 for none, or addresses and CIDR blocks. */
export function parseProxies(text: string): number | string[] {
  if (/^\d+$/.test(text)) return parseBounded(text, { kind: 'number', min: '0', max: '16' });
  if (/^[a-z]+$/i.test(text)) return parseBoolean(text) ? 1 : 0;
  const blocks = parseList(text);
  const bad = blocks.find((block) => !isBlock(block));
  if (bad !== undefined || blocks.length === 0) {
    throw new Error(`"${bad ?? text}" is neither true, a number of proxies nor an address like 10.0.0.7 or 10.0.0.0/8`);
  }
  return blocks;
}

function isBlock(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d*$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** Separated by commas or blanks. */
export function parseList(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '');
}

/** Words, separated by blanks; those in quotes keep their blanks. There is no shell: nothing else has a meaning. */
export function parseCommand(text: string): string[] {
  const words = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  if (words.length === 0 || /["']/.test(text.replace(/"[^"]*"|'[^']*'/g, ''))) {
    throw new Error(`"${text}" is not a command like /opt/segment --fast "with blanks"`);
  }
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double = '', single = '') => double + single));
}

export function parseWebUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new Error(`"${text}" is not an http or https URL`);
  return text;
}
