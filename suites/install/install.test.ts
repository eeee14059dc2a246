/** docs/guides/install.md, followed to the letter, and the files of deploy/systemd that it puts into place. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { followScript, PREPARATION, whyNoSandbox } from './sandbox.ts';
import { SystemdAnalyze } from './systemd-analyze.ts';
import { parseEnvironment, parseUnit } from './unit.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const UNIT = join(ROOT, 'deploy/systemd/cryolift.service');
const ENVIRONMENT = readFileSync(join(ROOT, 'deploy/systemd/cryolift.env'), 'utf8');
const GUIDE = readFileSync(join(ROOT, 'docs/guides/install.md'), 'utf8');
const SETTINGS = readFileSync(join(ROOT, 'docs/architecture/5-infrastructure-deployment.md'), 'utf8');
/** "OK" in the words of systemd-analyze, times ten. */
const MOST_EXPOSURE = 25;

test('environment file: values are read as systemd reads them', () => {
  const cases: readonly (readonly [text: string, variables: Record<string, string>])[] = [
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['# A=1\n;B=2\n  # C=3\nD=4', { D: '4' }],
    ['A=secret   # openssl rand', { A: 'secret   # openssl rand' }],
    ['A=  b c \t\nB=', { A: 'b c', B: '' }],
    ['A="b # c"  \nB=\'d "e"\'', { A: 'b # c', B: 'd "e"' }],
    ['A="b\\"c\\n" \'d\'', { A: 'b"c\\nd' }],
    ['A=b\\ c\\\nd', { A: 'b cd' }],
    ['A=b\\  ', { A: 'b ' }],
    ['no assignment\nA =1', { A: '1' }],
    ['A="two\nlines"', { A: 'two\nlines' }],
    ['A="b"c', { A: 'bc' }],
    ['A=b64+/=\r\nB=1\r\n', { A: 'b64+/=', B: '1' }],
  ];
  for (const [text, variables] of cases) assert.deepEqual(parseEnvironment(text), variables, JSON.stringify(text));
});

test('environment file: no value has a comment behind it, and all settings are known', () => {
  assert.deepEqual(parseEnvironment(ENVIRONMENT), { CRYOLIFT_DATA_DIR: '/srv/cryolift' });
  const all = parseEnvironment(ENVIRONMENT.replace(/^#(?=CRYOLIFT_)/gm, ''));
  assert.ok(Object.keys(all).length > 5);
  for (const [name, value] of Object.entries(all)) {
    assert.doesNotMatch(value, /[\s#]/, name);
    assert.ok(SETTINGS.includes(`\`${name}\``), `${name} is not a setting`);
  }
});

test('guides: no line with a setting has a comment behind it', () => {
  for (const page of globSync(['README.md', 'docs/**/*.md', 'packages/*/README.md'], { cwd: ROOT })) {
    for (const line of readFileSync(join(ROOT, page), 'utf8').split('\n')) {
      assert.doesNotMatch(line, /^CRYOLIFT_\w+=\S*\s+#/, page);
    }
  }
});

test('unit: it, the environment file and the guide name one data folder', () => {
  const unit = parseUnit(readFileSync(UNIT, 'utf8'));
  const { CRYOLIFT_DATA_DIR: folder = '' } = parseEnvironment(ENVIRONMENT);
  assert.deepEqual(unit.get('ReadWritePaths'), [folder]);
  assert.deepEqual(unit.get('RequiresMountsFor'), [folder]);
  assert.equal(unit.get('Environment'), undefined, 'settings have one place');
  assert.match(GUIDE, new RegExp(`^install -d .* ${folder}$`, 'm'));
  assert.match(GUIDE, new RegExp(`^useradd .*--home-dir ${folder} `, 'm'));
});

const analyze = SystemdAnalyze.find();

test('unit: systemd-analyze finds nothing wrong, and little exposed', {
  skip: typeof analyze === 'string' ? analyze : false,
}, () => {
  assert.ok(analyze instanceof SystemdAnalyze);
  const security = analyze.run('security', '--offline=true', `--threshold=${MOST_EXPOSURE}`, '--no-pager', UNIT);
  assert.ok(security);
  assert.equal(security.status, 0, security.output);
  assert.match(security.output, /Overall exposure level for cryolift.service: \d\.\d/);
  const stated = /security cryolift` says (\d\.\d)/.exec(GUIDE)?.[1];
  assert.ok(security.output.includes(`: ${stated} `), `the guide says ${stated}: ${security.output.slice(-80)}`);
  // A line with an error.
  assert.doesNotMatch(security.output, /Unknown|Failed to parse|ignoring/);
  analyze.discard();
});

/** The shell blocks of the section for a server. */
function readSteps(): string {
  const section = /## A server for a facility\n(.*?)\n## /s.exec(GUIDE)?.[1] ?? '';
  const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
  assert.equal(blocks.length, 2);
  return blocks.join('\n');
}

/** What git would have of this folder as it is now. */
function makeRepository(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-install-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const git = (...args: string[]) => {
    const env = { ...process.env, GIT_DIR: join(folder, '.git'), GIT_WORK_TREE: ROOT, GIT_CONFIG_GLOBAL: '/dev/null' };
    const { status, stderr } = spawnSync('git', args, { cwd: ROOT, env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  };
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message', 'as it is');
  return folder;
}

/**
 * The packages are those of this checkout: that npm brings them is tried whenever `npm test` begins on a fresh clone.
 */
function printScript(repository: string): string {
  const bring = `mkdir /opt/cryolift/node_modules; mount --bind '${join(ROOT, 'node_modules')}' /opt/cryolift/node_modules`;
  const steps = readSteps().replace(/^git clone URL (.*)$/m, `git clone --quiet '${repository}' $1; ${bring}`);
  assert.ok(steps.includes(repository), 'the guide clones');
  return `${PREPARATION}
( wait_for 'listening on http://127.0.0.1:8080' ) & listening=$!
${steps.replace(/^systemctl enable.*$/m, '$&\nwait $listening')}
systemctl reload cryolift
wait_for 'there is no certificate to reload'
echo "DATA $(ls /srv/cryolift | tr '\\n' ' ')"
echo "OWNER $(stat -c %U:%a /srv/cryolift /srv/cryolift/cryolift.sqlite /etc/cryolift.env | tr '\\n' ' ')"
curl -fsS -o /dev/null -w 'PAGE %{content_type}\\n' http://127.0.0.1:8080/
systemctl stop cryolift
while kill -0 "$(cat /run/cryolift.pid)" 2>/dev/null; do sleep 0.1; done
echo STOPPED
`;
}

const noSystem = whyNoSandbox();

test('guide: followed to the letter, it leads to a server that doctor finds nothing wrong with', {
  skip: noSystem ?? false,
}, (context) => {
  const repository = makeRepository(context);
  const script = join(repository, 'follow.sh');
  writeFileSync(script, printScript(repository));
  const ended = followScript(script);
  const said = ended.stdout + ended.stderr;
  assert.equal(ended.status, 0, said);
  assert.match(ended.stdout, /✓ speed/, said);
  assert.doesNotMatch(ended.stdout, /✗/, said);
  assert.match(ended.stdout, /^DATA .*cryolift\.sqlite .*files .*staging/m, said);
  assert.doesNotMatch(ended.stdout, /^DATA .*jwt-secret/m, 'the secret is the one of the environment file');
  assert.match(ended.stdout, /^OWNER cryolift:700 cryolift:600 root:600 $/m, said);
  assert.match(ended.stdout, /^PAGE text\/html/m, 'the page is built');
  assert.match(ended.stdout, /^STOPPED$/m, said);
});
