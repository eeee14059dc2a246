import assert from 'node:assert/strict';
import { posix, win32 } from 'node:path';
import { test } from 'node:test';
import { describeSettings } from './describe.ts';
import { sampleSettings } from './sample.ts';
import { readSettings } from './settings.ts';

const TOP = 'server = "https://files.example.org"\ntoken_file = "/etc/token"\n';
const WATCH = '[[watch]]\nfolder = "/data/a"\n';

function faultsOf(text: string, system = posix): string[] {
  return readSettings(text, system).faults.map(({ line, message }) => `${line}: ${message}`);
}

test('settings: every key is read, and what is absent has the default of the command', () => {
  const { settings, faults } = readSettings(
    `${TOP}parallel = 8
bwlimit = "08:00,20MiB 19:00,off"
compress = false
[[watch]]
folder = "/data/a/"
settle = "2m"
move_to = "/data/done"
include = ["*.mrc"]
exclude = ['Atlas', "x"]
files = 2
skip_known = true
[watch.meta]
microscope = "krios-1"
[[watch]]
folder = "/data/b"
delete = true
parallel = 3
`,
    posix,
  );
  assert.deepEqual(faults, []);
  const bwlimit = [
    { minute: 480, bytesPerSecond: 20 * 1024 * 1024 },
    { minute: 1140, bytesPerSecond: null },
  ];
  assert.deepEqual(settings, {
    server: 'https://files.example.org',
    tokenFile: '/etc/token',
    linkFile: null,
    shared: { parallel: 8, bwlimit, compress: false },
    folders: [
      {
        folder: '/data/a',
        settle: 120,
        moveTo: '/data/done',
        delete: false,
        afterReceipt: false,
        skipKnown: true,
        include: ['*.mrc'],
        exclude: ['Atlas', 'x'],
        files: 2,
        meta: { microscope: 'krios-1' },
        own: null,
      },
      {
        folder: '/data/b',
        settle: 60,
        moveTo: undefined,
        delete: true,
        afterReceipt: false,
        skipKnown: false,
        include: undefined,
        exclude: undefined,
        files: 4,
        meta: {},
        own: { parallel: 3, bwlimit: undefined, compress: false },
      },
    ],
  });
  assert.match(describeSettings(settings).join('\n'), /20\.0 MiB\/s from 08:00, no limit from 19:00/);
});

test('settings: CRLF and literal strings with Windows paths', () => {
  const text =
    "server = 'https://x'\r\ntoken_file = 'C:\\ProgramData\\t'\r\n[[watch]]\r\nfolder = '\\\\nas\\krios\\data'\r\nmove_to = 'D:\\done'\r\n";
  const { settings, faults } = readSettings(text, win32);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    [settings.tokenFile, settings.folders[0]?.folder, settings.folders[0]?.moveTo],
    ['C:\\ProgramData\\t', '\\\\nas\\krios\\data', 'D:\\done'],
  );
});

const FAULTS: readonly (readonly [name: string, text: string, faults: readonly (string | RegExp)[]])[] = [
  ['an unknown key', `${TOP}${WATCH}folders = 1\n`, [/^5: folders is not a setting; \[\[watch\]\] has .*move_to/]],
  ['a key of a folder at the top', `settle = "1s"\n${TOP}${WATCH}`, ['1: settle belongs below [[watch]]']],
  ['a key of the top in a folder', `${TOP}${WATCH}server = "x"\n`, ['5: server belongs above the first [[watch]]']],
  ['a text without quotes', `${TOP}${WATCH}settle = 60\n`, ['5: settle: needs a text in quotes like "60s", not 60']],
  ['a duration', `${TOP}${WATCH}settle = "8d"\n`, ['5: settle: 8d is not between 1s and 7d']],
  ['a count', `${TOP}${WATCH}files = 17\n`, ['5: files: needs a whole number from 1 to 16, not 17']],
  ['a flag', `${TOP}${WATCH}delete = "yes"\n`, ['5: delete: needs true or false, not "yes"']],
  ['a list', `${TOP}${WATCH}include = "*.mrc"\n`, ['5: include: needs a list of texts like ["*.mrc"], not "*.mrc"']],
  ['an empty list', `${TOP}${WATCH}include = []\n`, [/^5: include: needs a list/]],
  ['a number in the metadata', `${TOP}${WATCH}meta.dose = 5\n`, ['5: meta: dose: needs a text in quotes, not 5']],
  ['the key path in the metadata', `${TOP}${WATCH}[watch.meta]\npath = "x"\n`, [/^5: meta: .* sets the key path$/]],
  ['a date', `${TOP}bwlimit = 08:00:00\n${WATCH}`, [/^3: bwlimit: needs a text .*, not/]],
  ['a relative path', `${TOP}[[watch]]\nfolder = "data"\n`, [/^4: folder: "data" is not a complete path like/]],
  ['the home folder', `${TOP}[[watch]]\nfolder = "~/data"\n`, [/^4: folder: .* not a complete path/]],
  ['no folder', `${TOP}[[watch]]\nsettle = "1s"\n`, ['3: folder is missing']],
  ['no watch', TOP, ['1: a [[watch]] table is missing']],
  ['one watch without a list', `${TOP}[watch]\nfolder = "/data"\n`, ['3: watch: write it as [[watch]]']],
  ['no server', WATCH, ['1: server or link_file is missing']],
  ['not a server', `server = "files.example.org"\n${WATCH}`, [/^1: server: files.example.org is not a valid URL/]],
  [
    'two credentials',
    `${TOP}link_file = "/l"\n${WATCH}`,
    ['1: leave out server: the link contains it', '2: give only one of token_file and link_file'],
  ],
  ['both ends', `${TOP}${WATCH}move_to = "/d"\ndelete = true\n`, ['6: give only one of move_to and delete']],
  ['a receipt for nothing', `${TOP}${WATCH}after_receipt = true\n`, ['5: after_receipt needs move_to or delete']],
  [
    'a receipt of no dataset',
    `${TOP}${WATCH}delete = true\nafter_receipt = true\n`,
    ['6: after_receipt needs a dataset: meta = { dataset = "NAME" }'],
  ],
  ['move_to inside', `${TOP}${WATCH}move_to = "/data/a/done"\n`, [/^5: move_to is inside the watched folder/]],
  [
    'move_to inside another folder',
    `${TOP}${WATCH}move_to = "/data/b/x"\n[[watch]]\nfolder = "/data/b"\n`,
    [/^5: move_to is inside the folder of line 7/],
  ],
  ['a folder twice', `${TOP}${WATCH}${WATCH}`, [/^6: \/data\/a is inside the folder of line 4/]],
  ['a folder in a folder', `${TOP}[[watch]]\nfolder = "/data/a/b"\n${WATCH}`, [/^4: .* inside the folder of line 6/]],
  ['a key twice', `${TOP}${WATCH}folder = "/x"\n`, [/^5: Defining a key multiple times/]],
  ['no quotes at all', `${TOP}[[watch]]\nfolder = /data\n`, [/^4: .*quotes/]],
  ['every fault at once', `port = 1\n${TOP}${WATCH}files = 0\nsettle = ""\n`, [/^1: port/, /^6: files/, /^7: settle/]],
];
for (const [name, text, expected] of FAULTS) {
  test(`settings: ${name} is a fault with its line`, () => {
    const found = faultsOf(text);
    assert.equal(found.length, expected.length, found.join('\n'));
    for (const [at, fault] of expected.entries()) {
      if (typeof fault === 'string') assert.equal(found[at], fault);
      else assert.match(found[at] ?? '', fault);
    }
  });
}

test('settings: the usual mistakes with Windows paths are explained', () => {
  const faults = (line: string) => faultsOf(`server = 'https://x'\n[[watch]]\n${line}\n`, win32);
  assert.match(faults('folder = "C:\\Users\\x"').join(), /^3: .*single quotes/);
  assert.match(faults('folder = "C:\\temp"').join(), /^3: folder: has a control character: .*single quotes/);
  assert.match(faults("folder = '\\data'").join(), /^3: folder: .* is not a complete path like 'D:/);
  assert.match(faults("folder = 'D:\\a'\nmove_to = 'd:\\A\\done'").join(), /^4: move_to is inside/);
});

for (const [platform, system] of [
  ['linux', posix],
  ['darwin', posix],
  ['win32', win32],
] as const) {
  test(`settings: the sample for ${platform} is valid, also with each example in it`, () => {
    const sample = sampleSettings(platform);
    assert.deepEqual(faultsOf(sample, system), []);
    assert.equal(/[^\r]\n/.test(sample), platform !== 'win32', 'line ends of the system');
    const examples = [...sample.matchAll(/^# (\w+ = .*)$/gm)].flatMap(([, line = '']) => line.trim());
    assert.ok(examples.length >= 12, `${examples.length} examples`);
    for (const example of examples) {
      if (example.startsWith('link_file')) continue;
      const at = sample.indexOf(`# ${example}`);
      const [above, below] = [sample.slice(0, at), sample.slice(at + 2)];
      assert.deepEqual(faultsOf(above + below, system), [], example);
    }
  });
}
