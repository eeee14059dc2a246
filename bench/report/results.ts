/** `RESULTS.md`: each section of figures lies between two marks; everything else there was written by people. */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../RESULTS.md', import.meta.url);

/** @throws when the file has no such marks. */
export function writeSection(name: string, markdown: string): void {
  const text = readFileSync(FILE, 'utf8');
  const [begin, end] = [`<!-- bench:${name} -->\n`, `<!-- /bench:${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`RESULTS.md has no marks for ${name}`);
  writeFileSync(FILE, `${text.slice(0, from)}${begin}\n${markdown.trim()}\n\n${text.slice(to)}`);
}
