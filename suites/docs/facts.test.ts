/** What the documentation says of the code, compared with the code: settings, tables, messages, paths of files. */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { SETTINGS } from '../../packages/server/src/config/settings.ts';
import { listSources, PAGES, proseOf, read, rowsOf } from './pages.ts';

const DATA_PAGE = read('docs/architecture/4-data-models-schemas.md');
const SETTINGS_PAGE = read('docs/architecture/5-infrastructure-deployment.md');
const SOURCES = listSources();
const CODE = SOURCES.filter((path) => /^packages\/(server|cli|client)\/src\/.*(?<!\.test)\.ts$/.test(path))
  .map(read)
  .join('\n');

const documented = new Map(
  rowsOf(SETTINGS_PAGE).flatMap(([name = '', value = '', meaning = '']) => {
    const [, env] = /^`(CRYOLIFT_\w+)`$/.exec(name) ?? [];
    return env === undefined ? [] : [[env, { value, meaning }] as const];
  }),
);

test('page 5: the settings are those of the server', () => {
  assert.deepEqual([...documented.keys()].sort(), SETTINGS.map(({ env }) => env).sort());
});

test('page 5: the defaults are those of `serve --help`', () => {
  let compared = 0;
  // The help says in words what is `false` as a value.
  const inWords = new Map([['none', /^(none|`false`)$/]]);
  for (const { env, help } of SETTINGS) {
    const [, value] = / \(([^() ]+|no bound)\)(?:;|$)/.exec(help) ?? [];
    if (value === undefined) continue;
    compared++;
    const stated = documented.get(env)?.value ?? '';
    assert.ok(
      inWords.get(value)?.test(stated) ?? stated.includes(value),
      `${env}: ${value}, not ${documented.get(env)?.value}`,
    );
  }
  assert.ok(compared > 10, `${compared} defaults`);
});

/** Interfaces of tables.ts: their columns by the name of the table. */
function readTables(): Map<string, string[]> {
  const files = ['packages/server/src/db/tables.ts', 'packages/server/src/db/datasets/tables.ts'];
  const source = files
    .map(read)
    .join('\n')
    .replace(/\/\*\*.*?\*\//gs, '');
  const columns = new Map(
    [...source.matchAll(/interface (\w+Table) \{\n(.*?)\n\}/gs)].map(([, name = '', body = '']) => [
      name,
      [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].flatMap(([, column]) => column ?? []),
    ]),
  );
  const [, list = ''] = /interface Tables \{\n(.*?)\n\}/s.exec(source) ?? [];
  return new Map(
    [...list.matchAll(/^ {2}(\w+): (\w+);/gm)].map(([, table = '', type = '']) => [table, columns.get(type) ?? []]),
  );
}

test('page 4: every table has a section that names all of its columns', () => {
  const sections = DATA_PAGE.split(/^(?=##+ )/m);
  const tables = readTables();
  assert.ok(tables.size > 5);
  const missing = [...tables].flatMap(([table, columns]) => {
    const section = sections.find((each) => each.split('\n', 1)[0]?.includes(`(\`${table}\`)`));
    if (section === undefined) return [`${table}: no section`];
    assert.ok(columns.length > 0, table);
    return columns.filter((column) => !section.includes(`\`${column}\``)).map((column) => `${table}.${column}`);
  });
  assert.deepEqual(missing, []);
});

/** Texts of the code with values in them, as patterns. */
const TEMPLATES = [...CODE.matchAll(/`([^`]*\$\{[^`]*)`/g)].flatMap(([, template = '']) => {
  const parts = template.split(/\$\{[^}]*\}/);
  return parts.join('').length > 15 ? [new RegExp(parts.map((part) => RegExp.escape(part)).join('.+'))] : [];
});

function isSaid(text: string): boolean {
  return CODE.includes(text) || TEMPLATES.some((template) => template.test(text));
}

/** Quoted texts of three and more words that are no commands. */
const MESSAGE = /`([a-z][a-zA-Z ,'/-]*)`/g;
const COMMAND =
  /^(ls|codesign|xcrun|systemd-analyze|npx|npm|cryolift|systemctl|node|git|proxy|client|listen|openssl|option|keepalive|protocols|log|sudo) /;

for (const page of PAGES.filter((path) => /^docs\/(guides|architecture)\//.test(path))) {
  test(`${page}: quoted messages are those of the code`, () => {
    const texts = [...proseOf(read(page)).replace(/\n */g, ' ').matchAll(MESSAGE)].map(([, text = '']) => text);
    const messages = texts.filter((text) => text.split(' ').length >= 3 && !COMMAND.test(text));
    assert.deepEqual(
      messages.filter((text) => !isSaid(text)),
      [],
    );
  });

  test(`${page}: source files that it names are there`, () => {
    const named = [...read(page).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|tsx|mjs|js|md|sh|yml|json))`/g)];
    const isThere = (path: string) => SOURCES.some((source) => source === path || source.endsWith(`/${path}`));
    assert.deepEqual(
      named.map(([, path = '']) => posix.normalize(path)).filter((path) => !isThere(path)),
      [],
    );
  });
}

test('page 2: the table of modules is the list of folders of the server', () => {
  const folders = new Set<string>();
  for (const path of SOURCES) {
    const [, folder] = /^packages\/server\/src\/(.+)\/[^/]+$/.exec(path) ?? [];
    if (folder !== undefined) folders.add(`\`${folder}/\``);
  }
  const modules = rowsOf(read('docs/architecture/2-detailed-component-architecture.md'))
    .map(([first = '']) => first)
    .filter((first) => /^`[\w/-]+\/`$/.test(first) && first !== '`suites/`');
  assert.deepEqual(modules.sort(), [...folders].sort());
});

test('page 2: the path of a part has at most 12 files', () => {
  const files = rowsOf(read('docs/architecture/2-detailed-component-architecture.md'))
    .filter(([first = '']) => /^\d+$/.test(first))
    .map(([, file = '']) => file.slice(1, -1));
  assert.ok(files.length > 5 && files.length <= 12, `${files.length} files`);
  for (const file of files) assert.ok(SOURCES.includes(`packages/server/src/${file}`), file);
});

/** What tests, settings of the compiler and the programs that we run name, beside our own code. */
const NAMES = new Set(
  SOURCES.filter((path) => /\.(ts|tsx|mjs|js|json|service)$/.test(path))
    .map(read)
    .flatMap((text) => text.match(/[\p{L}_$][\p{L}\d_$]*/gu) ?? []),
);

for (const page of PAGES.filter((path) => /^docs\/(architecture|decisions)\//.test(path))) {
  test(`${page}: names of functions and types are those of the code`, () => {
    const spans = [...proseOf(read(page)).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
    const named = spans.flatMap((span) => /^(?:[A-Z][a-z]+|[a-z]+)(?:[A-Z][a-z]\w*)+(?=$|\()/.exec(span) ?? []);
    assert.deepEqual(
      named.filter((name) => !NAMES.has(name)),
      [],
    );
  });
}
