/** The API tables of the READMEs name what the packages export. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NAMES, ROOT } from './project.ts';

/** First the module, or the export of a package with one module; then what the row says of it. */
function readRows(name: string): [first: string, second: string][] {
  const readme = readFileSync(join(ROOT, 'packages', name, 'README.md'), 'utf8');
  const [, table = ''] = /^\| (?:ex|im)port .*\n\| -.*\n((?:\|.*\n)+)/m.exec(readme) ?? [];
  return [...table.matchAll(/^\| (.*?) \| (.*) \|$/gm)].map(([, first = '', second = '']) => [first, second]);
}

/** The identifiers that stand in backquotes, calls included. */
function identifiersIn(text: string): string[] {
  return [...text.matchAll(/`([A-Za-z]\w*)(?:\(.*?\))?`/g)].flatMap(([, found]) => found ?? []);
}

for (const name of NAMES) {
  test(`README of ${name}: the packages export what its table names`, async () => {
    const rows = readRows(name);
    assert.ok(rows.length > 2, `${rows.length} rows`);
    for (const [first, second] of rows) {
      const [path = ''] = /(?<=`)[^`]*/.exec(first) ?? [];
      const [module, text] =
        name === 'mrc' ? ['@cryolift/mrc', first] : [name === 'protocol' ? `@cryolift/protocol/${path}` : path, second];
      const exported = Object.keys(await import(module));
      const named = identifiersIn(text);
      assert.ok(named.length > 0, text);
      for (const each of named) assert.ok(exported.includes(each), `${module} has no ${each}`);
    }
  });
}
