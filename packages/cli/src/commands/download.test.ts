/** `cryolift download` as a process: targets, concurrent downloads, kills, standard output and messages. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { parseLines, TestBench, Wire } from '../testing/test-process.ts';

const MIB = 1024 * 1024;
const KILLS = 12;
const LONG_NAME = `${'x'.repeat(248)}.mrc`;

let bench: TestBench;
/** Two files with the same name and size. */
let files: { id: string; sha256: string }[];
let long: FileRecord;

before(async () => {
  bench = await TestBench.start();
  files = [];
  for (let idx = 0; idx < 2; idx++) {
    const { file_id, sha256 } = await upload('same.mrc', 40 * MIB);
    files.push({ id: file_id, sha256: sha256 ?? '' });
  }
  long = await upload(LONG_NAME, 2000);
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

async function upload(name: string, size: number): Promise<FileRecord> {
  const voxels = randomBytes(size - 1024);
  await writeFile(bench.path(name), Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]));
  const { code, stdout } = await bench.run(['upload', '--json', '--restart', bench.path(name)]);
  assert.equal(code, 0, stdout);
  return parseLines<FileRecord>(stdout).at(-1) as FileRecord;
}

async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(bench.path('to-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

const [A, B] = [0, 1];
const idOf = (idx: number) => files[idx]?.id as string;
const digestOfFile = (idx: number) => files[idx]?.sha256 as string;

/** Runs the command until `bytes` have arrived. */
async function beginHeld(wire: Wire, bytes: number, args: readonly string[]) {
  const held = wire.holdAfter(bytes);
  const running = bench.begin(args, { CRYOLIFT_SERVER: wire.url });
  await held;
  return running;
}

test('download: a second file of the same name is refused and the first is kept', async (context) => {
  const folder = await makeFolder(context);
  const own = ['same.mrc.part', 'same.mrc.part.json'];
  for (const name of own) await writeFile(join(folder, name), 'mine');
  const ended = await Promise.all([A, B].map((idx) => bench.run(['download', '--json', idOf(idx), '-o', folder])));
  const done = ended.findIndex(({ code }) => code === 0);
  const refused = ended[1 - done];
  assert.deepEqual(ended.map(({ code }) => code).sort(), [0, 1]);
  assert.equal(parseLines(refused?.stdout ?? '').at(-1)?.code, 'file_exists');
  assert.equal(await digestOf(join(folder, 'same.mrc')), digestOfFile(done));

  const again = await bench.run(['download', idOf(1 - done), '-o', join(folder, 'other.mrc')]);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(await digestOf(join(folder, 'other.mrc')), digestOfFile(1 - done));
  assert.deepEqual((await readdir(folder)).sort(), ['other.mrc', 'same.mrc', ...own].sort());
  for (const name of own) assert.equal(await readFile(join(folder, name), 'utf8'), 'mine');
});

test('download: a second download of the same file is refused; a killed one is resumed', async (context) => {
  const folder = await makeFolder(context);
  const wire = await Wire.to(bench.url);
  context.after(() => wire.close());
  const running = await beginHeld(wire, 20 * MIB, ['download', '--parallel', '1', idOf(A), '-o', folder]);
  context.after(() => running.child.kill('SIGKILL'));
  const second = await bench.run(['download', idOf(A), '-o', folder]);
  assert.deepEqual(
    [second.code, second.stderr.split('\n')[0]],
    [1, `cryolift: This file is being downloaded into ${folder} by another process.`],
  );

  running.child.kill('SIGKILL');
  await running.ended;
  wire.reset();
  const resumed = await bench.run(['download', idOf(A), '-o', folder], { CRYOLIFT_SERVER: wire.url });
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok(wire.carriedBytes < 30 * MIB, `${wire.carriedBytes} bytes were carried`);
  assert.equal(await digestOf(join(folder, 'same.mrc')), digestOfFile(A));
  assert.deepEqual(await readdir(folder), ['same.mrc']);
});

test('download: a kill leaves the whole file or none, and the next run removes temporary files', async (context) => {
  const folder = await makeFolder(context);
  const path = join(folder, 'same.mrc');
  for (let round = 0; round < KILLS; round++) {
    const running = bench.begin(['download', '--force', idOf(round % 2), '-o', folder]);
    await delay(200 + Math.random() * 500);
    running.child.kill('SIGKILL');
    await running.ended;
    if ((await readdir(folder)).includes('same.mrc')) {
      assert.ok([digestOfFile(A), digestOfFile(B)].includes(await digestOf(path)));
    }
  }
  for (const idx of [A, B]) {
    const { code, stderr } = await bench.run(['download', '--force', idOf(idx), '-o', folder]);
    assert.equal(code, 0, stderr);
    assert.equal(await digestOf(path), digestOfFile(idx));
  }
  assert.deepEqual(await readdir(folder), ['same.mrc']);
});

test('download: a name of 252 bytes is kept', async (context) => {
  const folder = await makeFolder(context);
  const { code, stderr } = await bench.run(['download', long.file_id, '-o', folder]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await readdir(folder), [LONG_NAME]);
});

test('download: -o - writes the bytes, and nothing else, to standard output', async () => {
  const piped = await bench.runInShell(`$CRYOLIFT download ${idOf(A)} -o - | (sleep 1; sha256sum)`);
  assert.deepEqual([piped.code, piped.stdout], [0, `${digestOfFile(A)}  -\n`], piped.stderr);
  assert.match(piped.stderr, new RegExp(`sha256 ${digestOfFile(A)}`));
  const toFile = await bench.runInShell(`$CRYOLIFT download ${idOf(B)} -o - > streamed && sha256sum < streamed`);
  assert.deepEqual([toFile.code, toFile.stdout], [0, `${digestOfFile(B)}  -\n`], toFile.stderr);
  assert.deepEqual(
    (await readdir(bench.folder)).filter((name) => name.startsWith('-')),
    [],
  );
});

test('download: -o - ends quietly when its reader closes the pipe', async () => {
  const { code, stderr } = await bench.runInShell(
    `$CRYOLIFT download ${idOf(A)} -o - 2> messages | head -c 10 > /dev/null`,
  );
  assert.deepEqual([code, stderr], [141, '']);
  assert.doesNotMatch(await readFile(bench.path('messages'), 'utf8'), /EPIPE|cryolift:/);
});

test('download: a signal ends `-o -` with a stalled reader', async () => {
  const { stdout } = await bench.runInShell(`
    $CRYOLIFT download ${idOf(A)} -o - > >(head -c 100 > started; echo $BASHPID > stalled; exec sleep 600) &
    until [ -s stalled ]; do sleep 0.1; done
    sleep 1
    kill -TERM $!; wait $!; echo "ended $?"; kill $(cat stalled)`);
  assert.match(stdout, /^ended 130$/m);
});

/** Each case runs in a folder with only the files of `prepare`. */
const FAILURES: readonly {
  readonly situation: string;
  readonly args: readonly string[];
  readonly prepare?: (folder: string) => Promise<unknown>;
  readonly code: number;
  /** `$` is the folder. */
  readonly message: RegExp | string;
}[] = [
  {
    situation: 'the folder does not exist',
    args: ['-o', '$/newdir/'],
    code: 1,
    message: '$/newdir/ is not a folder.\n  Create it, or give another folder (-o).',
  },
  {
    situation: 'the folder of the name does not exist',
    args: ['-o', '$/newdir/a.mrc'],
    code: 1,
    message: 'The folder $/newdir does not exist.\n  Create it, or give another folder (-o).',
  },
  {
    situation: 'the folder of the name is a file',
    args: ['-o', '$/file/a.mrc'],
    prepare: (folder) => writeFile(join(folder, 'file'), ''),
    code: 1,
    message: 'The folder $/file is not a folder.\n  Give another folder or name (-o).',
  },
  {
    situation: 'the folder is not writable',
    args: ['-o', '/sys'],
    code: 1,
    message: 'The folder /sys cannot be written to: permission denied.\n  Give another folder or name (-o).',
  },
  {
    situation: 'the file already exists',
    args: ['-o', '$'],
    prepare: (folder) => writeFile(join(folder, 'same.mrc'), 'mine'),
    code: 1,
    message: '$/same.mrc already exists\n  Give another name (-o), or replace it (--force).',
  },
  {
    situation: 'a folder has the name, with --force',
    args: ['-o', '$', '--force'],
    prepare: (folder) => mkdir(join(folder, 'same.mrc')),
    code: 1,
    message: '$/same.mrc is not a regular file and is not replaced.\n  Give another name (-o).',
  },
  {
    situation: 'a device has the name, with --force',
    args: ['-o', '$/null', '--force'],
    prepare: (folder) => symlink('/dev/null', join(folder, 'null')),
    code: 1,
    message: '$/null is not a regular file and is not replaced.\n  Give another name (-o).',
  },
  {
    situation: 'the name is too long',
    args: ['-o', `$/${'n'.repeat(256)}`],
    code: 1,
    message: `This name is not possible here: it is too long (256 bytes): ${'n'.repeat(256)}\n  Give another name (-o NAME).`,
  },
  {
    situation: 'its own folder is a link',
    args: ['-o', '$/a.mrc'],
    prepare: async (folder) => {
      await symlink('/tmp', join(folder, partialName()));
    },
    code: 1,
    message: /\.part exists and was not created by a download of this user\.\n {2}Remove it, or/,
  },
  {
    situation: 'several files are to go to standard output',
    args: ['another', '-o', '-'],
    code: 2,
    message: /^cryolift: only one file can be written to standard output\n/,
  },
  { situation: '-o is empty', args: ['-o', ''], code: 2, message: /^cryolift: -o needs a folder or a file name\n/ },
  { situation: '-o - with --json', args: ['-o', '-', '--json'], code: 2, message: /both write to standard output/ },
];
for (const { situation, args, prepare, code, message } of FAILURES) {
  test(`download: one sentence and exit code ${code} when ${situation}`, async (context) => {
    const folder = await makeFolder(context);
    await prepare?.(folder);
    const before = await readdir(folder);
    const inFolder = (text: string) => text.replaceAll('$', folder);
    const ended = await bench.run(['download', idOf(A), ...args.map(inFolder)]);
    const printed = ended.stderr || ended.stdout;
    if (typeof message === 'string') assert.equal(printed, `cryolift: ${inFolder(message)}\n`);
    else assert.match(printed, message);
    assert.equal(ended.code, code, printed);
    assert.doesNotMatch(printed.replaceAll(folder, ''), /\bE[A-Z]{4,}\b| {4}at /);
    assert.deepEqual(await readdir(folder), before);
  });
}

/** Name of the folder that holds the first file while it is downloaded. */
function partialName(): string {
  const key = createHash('sha256')
    .update(`${idOf(A)}\n${digestOfFile(A)}`)
    .digest('hex');
  return `.cryolift-${key.slice(0, 32)}.part`;
}

test('download: a full disk prints one sentence, and the next run resumes', async (context) => {
  const folder = await makeFolder(context);
  const disk = join(folder, 'disk');
  await mkdir(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=30m', 'tmpfs', disk], { stdio: 'pipe' });
  } catch {
    context.skip('needs leave to mount a small disk (tmpfs)');
    return;
  }
  try {
    const full = await bench.run(['download', idOf(A), '--parallel', '1', '-o', disk]);
    assert.equal(full.code, 1);
    const lastLines = full.stderr.split('\n').slice(-3);
    assert.deepEqual(lastLines, [
      `cryolift: The folder ${disk} has no space left.`,
      '  Free space. Then run the same command again to resume.',
      '',
    ]);
    assert.ok(!(await readdir(disk)).includes('same.mrc'));
    execFileSync('mount', ['-o', 'remount,size=60m', disk]);
    const wire = await Wire.to(bench.url);
    const running = bench.run(['download', idOf(A), '-o', disk], { CRYOLIFT_SERVER: wire.url });
    const resumed = await running.finally(() => wire.close());
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.ok(wire.carriedBytes < 30 * MIB, `${wire.carriedBytes} bytes were carried`);
    assert.equal(await digestOf(join(disk, 'same.mrc')), digestOfFile(A));
    assert.deepEqual(await readdir(disk), ['same.mrc']);

    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const refused = await bench.run(['download', idOf(B), '-o', join(disk, 'b.mrc')]);
    assert.deepEqual(
      [refused.code, refused.stderr.split('\n')[0]],
      [1, `cryolift: The folder ${disk} cannot be written to: its file system is read-only.`],
    );
  } finally {
    execFileSync('umount', [disk]);
  }
});
