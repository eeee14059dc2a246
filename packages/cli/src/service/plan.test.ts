/** What `watch install` writes and runs on each system: the texts in `golden/`, and what their readers make of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { planService } from './plan.ts';
import type { Host, ServiceChoice } from './service.ts';

const LINUX: Host = { platform: 'linux', env: {}, home: '/home/ada', uid: 1000, user: 'ada', stateRoot: '/unused' };
const MAC: Host = { ...LINUX, platform: 'darwin', home: '/Users/ada', uid: 501 };
const WINDOWS: Host = {
  ...LINUX,
  platform: 'win32',
  env: { USERDOMAIN: 'KRIOS-PC', PROGRAMDATA: 'C:\\ProgramData' },
  home: 'C:\\Users\\ada',
  stateRoot: 'C:\\ProgramData\\cryolift',
};
const USER: ServiceChoice = {
  scope: 'user',
  program: ['/opt/node/bin/node', '/opt/cryo lift/bin/cryolift.js'],
  config: '/home/ada/100% "so" $HOME & <more>.toml',
  runAs: null,
  environment: { https_proxy: 'http://me:pa%ss@proxy:3128' },
};
const SYSTEM: ServiceChoice = {
  scope: 'system',
  program: ['/usr/local/bin/cryolift'],
  config: '/etc/cryolift/cryolift.toml',
  runAs: null,
  environment: {},
};
const ON_WINDOWS = { program: ['C:\\Program Files\\Cryolift\\cryolift-win-x64.exe'], environment: {} };
const CASES: readonly (readonly [name: string, choice: ServiceChoice, host: Host])[] = [
  ['linux-user', USER, LINUX],
  ['linux-system', SYSTEM, LINUX],
  ['linux-run-as', { ...SYSTEM, runAs: 'krios' }, LINUX],
  ['macos-user', USER, MAC],
  ['macos-system', SYSTEM, MAC],
  [
    'windows-user',
    { ...USER, ...ON_WINDOWS, config: 'C:\\Users\\ada\\A & B\\' },
    { ...WINDOWS, stateRoot: 'C:\\Users\\ada\\AppData\\Local\\cryolift' },
  ],
  ['windows-system', { ...SYSTEM, ...ON_WINDOWS, config: 'C:\\ProgramData\\cryolift\\cryolift.toml' }, WINDOWS],
];

for (const [name, choice, host] of CASES) {
  test(`watch install: file, commands and hints, ${name}`, () => {
    const { file, install, uninstall, afterwards, query, hints } = planService(choice, host);
    const commands = (list: typeof install) =>
      list.map(({ argv, mayFail }) => `${mayFail ? '-' : ''}${JSON.stringify(argv)}`);
    const lines = [
      `${file.path} (${file.encoding}, ${file.mode.toString(8)})`,
      file.text.replace('\ufeff', '<BOM>').replaceAll('\r\n', '\n'),
      ...['install:', ...commands(install)],
      ...['uninstall:', ...commands(uninstall), ...commands(afterwards)],
      `query: ${query ? commands([query]) : 'the file'}`,
      ...hints,
    ];
    const golden = new URL(`./golden/${name}.txt`, import.meta.url);
    // To write them anew after a change: UPDATE_GOLDEN=1.
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, `${lines.join('\n')}\n`);
    assert.equal(`${lines.join('\n')}\n`, readFileSync(golden, 'utf8'));
  });
}

const PYTHON = spawnSync('python3', ['-c', 'import plistlib']).status === 0;

test('watch install: the property list is read by a parser with the words of the command', {
  skip: !PYTHON && 'needs Python',
}, () => {
  const { text } = planService(USER, MAC).file;
  const program = 'import sys, json, plistlib; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
  const { stdout, stderr } = spawnSync('python3', ['-c', program], { input: text, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), {
    Label: 'org.cryolift.watch',
    ProgramArguments: [...USER.program, 'watch', '--config', USER.config],
    EnvironmentVariables: USER.environment,
    RunAtLoad: true,
    KeepAlive: true,
    ThrottleInterval: 30,
    ExitTimeOut: 15,
  });
});

test('watch install: the task is XML in UTF-16 with a byte order mark', { skip: !PYTHON && 'needs Python' }, () => {
  const [, choice, host] = CASES.find(([name]) => name === 'windows-user') as (typeof CASES)[number];
  const { text, encoding } = planService(choice, host).file;
  const program = `
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
names = {'t': 'http://schemas.microsoft.com/windows/2004/02/mit/task'}
for name in ('Command', 'Arguments'): print(root.find('.//t:' + name, names).text)`;
  const { stdout, stderr } = spawnSync('python3', ['-c', program], {
    input: Buffer.from(text, encoding),
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  assert.deepEqual(stdout.trim().split(/\r?\n/), [
    '"C:\\Program Files\\Cryolift\\cryolift-win-x64.exe"',
    'watch --config "C:\\Users\\ada\\A & B\\\\"',
  ]);
});

test('watch install: other systems, and paths that no service file can hold, are refused', () => {
  assert.throws(() => planService(USER, { ...LINUX, platform: 'freebsd' }), /services are not installed on freebsd/);
  assert.throws(() => planService({ ...USER, config: '/a\nb' }, LINUX), /control characters/);
});
