/** What `npm run release` refuses, in a clone of this repository. Nothing is built here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Clone, VERSION } from './clone.ts';

const BUILD = fileURLToPath(new URL('../../scripts/release/build.mjs', import.meta.url));
const clone = new Clone();
after(() => clone.discard());

/** @returns what a dry run says of the clone as it is, line by line. */
function complain(...args: readonly string[]): { code: number | null; lines: string[] } {
  const { status, stdout, stderr } = clone.script('main', VERSION, '--dry-run', '--trial', ...args);
  return { code: status, lines: (stdout + stderr).trimEnd().split('\n') };
}

/** Undoes what a test has changed. */
function restore(): void {
  clone.git('checkout', '--quiet', '--force', 'main');
  clone.git('clean', '--quiet', '--force', '-d');
}

const CHANGELOG = join(clone.root, 'CHANGELOG.md');
const edit = (from: string | RegExp, to: string) =>
  writeFileSync(CHANGELOG, readFileSync(CHANGELOG, 'utf8').replace(from, to));

test('release: what is no version is wrong usage', () => {
  for (const args of [[], ['1.2'], ['v1.2.3'], ['01.2.3'], ['1.2.3', '1.2.4'], ['1.2.3', '--unknown']]) {
    for (const name of ['main', 'prepare']) {
      if (name === 'prepare' && args.length > 1) continue;
      const { status, stderr } = clone.script(name, ...args);
      assert.equal(status, 2, `${args}: ${stderr}`);
      assert.match(stderr, /^release: /);
    }
  }
});

test('release: other versions and a missing section are named, and how both are made', () => {
  const { code, lines } = complain();
  assert.equal(code, 1);
  const [first = ''] = lines;
  assert.match(first, new RegExp(`^release: package.json has the version \\S+, not ${VERSION}$`));
  const said = lines.join('\n');
  assert.match(said, /^release: \d+ more places have other versions: npm run release:prepare -- 99\.0\.0$/m);
  assert.match(said, /^release: CHANGELOG.md has no section \[99\.0\.0\]: npm run release:prepare -- 99\.0\.0$/m);
});

test('release: what release:prepare has made can be released once it is committed', () => {
  edit(/^## \[Unreleased\]\n/m, '## [Unreleased]\n\n### Fixed\n- Something.\n');
  const prepared = clone.script('prepare', VERSION);
  assert.equal(prepared.status, 0, prepared.stderr);
  const { code, lines } = complain();
  assert.equal(code, 1, 'it is not committed');
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0] ?? '', /^release: the checkout has changes that are not committed: .*CHANGELOG\.md/);
  clone.commit('all: release 99.0.0');
  assert.deepEqual(complain(), { code: 0, lines: [`release: ${VERSION} can be released; nothing was built`] });
  // npm understands the lock file that was written.
  execFileSync('npm', ['ls', '--package-lock-only', '--workspace', 'packages/server'], { cwd: clone.root });
  const again = clone.script('prepare', VERSION);
  assert.equal(again.status, 1);
  assert.equal(again.stderr, `release: CHANGELOG.md has a section [${VERSION}] already\n`);
});

const CASES: readonly (readonly [name: string, change: () => void, complaint: RegExp])[] = [
  [
    'a manifest with another version',
    () => {
      const path = join(clone.root, 'packages/mrc/package.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace(VERSION, '98.0.0'));
    },
    /^release: packages\/mrc\/package\.json has the version 98\.0\.0, not 99\.0\.0$/,
  ],
  [
    'an image with another version',
    () => appendFileSync(join(clone.root, 'deploy/compose.yaml'), '# cryolift:98.0.0-beta.1\n'),
    /^release: deploy\/compose\.yaml names cryolift:98\.0\.0-beta\.1, not 99\.0\.0$/,
  ],
  [
    'a package with another version in a guide',
    () => appendFileSync(join(clone.root, 'docs/guides/install.md'), 'cryolift-server-98.0.0-linux-x64.tar.gz\n'),
    /^release: docs\/guides\/install\.md names cryolift-server-98\.0\.0, not 99\.0\.0$/,
  ],
  [
    'a section without a date',
    () => edit(/^## \[99\.0\.0\] - .*$/m, '## [99.0.0]'),
    /^release: CHANGELOG\.md: the section \[99\.0\.0\] has the date "", not one of YYYY-MM-DD up to /,
  ],
  [
    'a date that is to come',
    () => edit(/^## \[99\.0\.0\] - .*$/m, '## [99.0.0] - 2999-01-01'),
    /has the date "2999-01-01", not one of/,
  ],
  [
    'an empty section',
    () => edit(/(?<=^## \[99\.0\.0\] - .*\n).*/ms, ''),
    /^release: CHANGELOG\.md: the section \[99\.0\.0\] is empty$/,
  ],
  [
    'something that is unreleased',
    () => edit('## [Unreleased]\n', '## [Unreleased]\n\n### Added\n- More.\n'),
    /^release: CHANGELOG\.md: the section \[Unreleased\] is not empty$/,
  ],
  [
    'a file that git does not know',
    () => writeFileSync(join(clone.root, 'notes.txt'), ''),
    /^release: the checkout has changes that are not committed: \?\? notes\.txt$/,
  ],
  [
    'another branch',
    () => clone.git('checkout', '--quiet', '-b', 'topic'),
    /^release: this is the branch topic, not main$/,
  ],
  ['a tag of this version', () => clone.git('tag', `v${VERSION}`), /^release: there is a tag v99\.0\.0 already$/],
  [
    'a folder that is there',
    () => mkdirSync(join(clone.root, `dist/release-${VERSION}`), { recursive: true }),
    /^release: .*\/dist\/release-99\.0\.0 is there already$/,
  ],
];

for (const [name, change, complaint] of CASES) {
  test(`release: it refuses ${name}`, () => {
    change();
    try {
      const { code, lines } = complain();
      assert.equal(code, 1);
      assert.ok(
        lines.some((line) => complaint.test(line)),
        lines.join('\n'),
      );
    } finally {
      restore();
      clone
        .git('tag', '--list')
        .split('\n')
        .filter(Boolean)
        .map((tag) => clone.git('tag', '--delete', tag));
      rmSync(join(clone.root, 'dist'), { recursive: true, force: true });
    }
  });
}

test('release: files that a second build makes otherwise, or not at all, are named', () => {
  const builds = [
    { a: '1', b: '2', c: '3' },
    { a: '1', b: '9', d: '4' },
  ];
  const program = `const { compareBuilds } = await import(${JSON.stringify(BUILD)});
    console.log(JSON.stringify(compareBuilds(...${JSON.stringify(builds)})))`;
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(said), [
    'a second build gives 9 b, the first 2',
    'a second build gives no c, the first 3',
    'a second build gives 4 d, the first none',
  ]);
});
