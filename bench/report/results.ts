/** `RESULTS.md`: each section of figures lies between two marks; everything else there was written by people. */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../RESULTS.md', import.meta.url);

/** A section that has no marks yet is added at the end. */
export function writeSection(name: string, markdown: string): void {
  const [begin, end] = [`<!-- bench:${name} -->\n`, `<!-- /bench:${name} -->`];
  const before = readFileSync(FILE, 'utf8');
  const text = before.includes(begin) ? before : `${before.trimEnd()}\n\n${begin}\n${end}\n`;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  writeFileSync(FILE, `${text.slice(0, from)}${begin}\n${markdown.trim()}\n\n${text.slice(to)}`);
}
