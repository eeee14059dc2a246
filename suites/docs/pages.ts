/** The pages of the documentation, and what is prose in them. */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Pages that are written by hand. */
export const PAGES = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/**/*.md', 'bench/*.md'], {
  cwd: ROOT,
  exclude: ['**/node_modules/**', '**/dist/**'],
});

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The files of the repository, without what git ignores. */
export function listSources(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((path) => path !== '' && globSync(path, { cwd: ROOT }).length > 0);
}

/** The text without code blocks; each line keeps its number. */
export function proseOf(text: string): string {
  return text.replace(/^ *```.*?^ *```/gms, (block) => block.replace(/[^\n]/g, ''));
}

/** Each row of each table, as its cells. */
export function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row = '']) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}
