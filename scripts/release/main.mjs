/**
 * `npm run release -- VERSION`: checks that this checkout can be released, builds the files of the release twice, compares
 * both builds, and writes digests and provenance. It tags, pushes and uploads nothing. docs/guides/releasing.md:
 *
 *   --dry-run       only checks
 *   --key FILE      an SSH key that signs SHA256SUMS and the provenance
 *   --builder URI   who builds; default: the e-mail address of git
 *   --folder DIR    default: dist/release-VERSION
 *   --trial         for this system alone, with the packages of this checkout: no release, a quick try
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SUMS, sha256Of } from '../one-file/sums.mjs';
import { buildAgain, buildRelease, compareBuilds } from './build.mjs';
import { findChangelogFaults } from './changelog.mjs';
import { findCheckoutFaults, git } from './checkout.mjs';
import { makeProvenance } from './provenance.mjs';
import { sign } from './signature.mjs';
import { findOtherVersions, SEMVER } from './versions.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const USAGE = 'usage: npm run release -- VERSION [--dry-run] [--key FILE] [--builder URI] [--folder DIR] [--trial]';
const PAGE_TESTS = ['suites/docs/*.test.ts', 'suites/dependencies.test.ts'];
const { version, options } = readArguments();
const folder = resolve(options.folder ?? join(ROOT, `dist/release-${version}`));

const faults = [
  ...shorten(findOtherVersions(ROOT, version)),
  ...findChangelogFaults(ROOT, version, new Date().toISOString().slice(0, 10)),
  ...findCheckoutFaults(ROOT, version),
  ...(existsSync(folder) ? [`${folder} is there already`] : []),
];
if (faults.length > 0) end(1, ...faults);
if (!options.trial) await checkPages();
if (options['dry-run']) {
  console.log(`release: ${version} can be released; nothing was built`);
} else {
  try {
    await release();
  } catch (error) {
    end(1, ...error.message.split('\n'));
  }
}

async function release() {
  const startedOn = new Date().toISOString();
  const only = options.trial ? `linux-${process.arch}` : null;
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const sums = await buildRelease(ROOT, draft, only);
  const work = mkdtempSync(join(tmpdir(), 'cryolift-release-'));
  try {
    const again = await buildAgain(ROOT, work, only, options.trial ? join(ROOT, 'node_modules') : null);
    const differences = compareBuilds(sums, again);
    if (differences.length > 0) throw new Error(differences.join('\n'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const provenance = join(draft, `cryolift-${version}.intoto.json`);
  const all = { ...sums, [SUMS]: await sha256Of(join(draft, SUMS)) };
  const finishedOn = new Date().toISOString();
  const builder = options.builder ?? `mailto:${git(ROOT, 'config', 'user.email')}`;
  writeFileSync(provenance, makeProvenance({ root: ROOT, version, sums: all, builder, startedOn, finishedOn }));
  if (options.key !== undefined) for (const path of [join(draft, SUMS), provenance]) sign(path, options.key);
  mkdirSync(dirname(folder), { recursive: true });
  renameSync(draft, folder);
  report(Object.keys(sums).length);
}

function report(count) {
  console.log(`release: ${count} files in ${folder}, the same in two builds`);
  if (options.trial) return console.log('release: this was a trial, not a release');
  console.log(`What is left to do:
  git tag --sign v${version} --message "Cryolift ${version}" ${git(ROOT, 'rev-parse', '--short', 'HEAD')}
  git push origin main v${version}
  upload ${folder} as the files of the release, with the section of CHANGELOG.md
  for each package: npm publish FILE.tgz
  build and push the image: docker build -f deploy/Dockerfile -t REGISTRY/cryolift:${version} .`);
}

function shorten(places) {
  const [, , , ...more] = places;
  if (more.length === 0) return places;
  return [
    ...places.slice(0, 3),
    `${more.length} more places have other versions: npm run release:prepare -- ${version}`,
  ];
}

/** Links, indexes and names of the documentation, and the list of dependencies. */
async function checkPages() {
  try {
    execFileSync(process.execPath, ['--test', '--test-reporter=dot', ...PAGE_TESTS], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (error) {
    console.error(String(error.stdout));
    end(1, 'the tests of the documentation fail');
  }
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean', default: false },
        trial: { type: 'boolean', default: false },
        ...Object.fromEntries(['key', 'builder', 'folder'].map((name) => [name, { type: 'string' }])),
      },
    });
    if (positionals.length !== 1) end(2, USAGE);
    if (!SEMVER.test(positionals[0])) end(2, `"${positionals[0]}" is not a version like 1.2.3 or 1.2.3-beta.1`);
    return { version: positionals[0], options: values };
  } catch (error) {
    end(2, error.message, USAGE);
  }
}

function end(code, ...lines) {
  for (const line of lines) console.error(`release: ${line}`);
  process.exit(code);
}
