/** What is assumed of a shared file system, and how each assumption is tried. Page 5 of the architecture lists them. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ProbeCalls } from './probe-calls.ts';
import type { ProbeHelper } from './probe-helper.ts';

interface Probe {
  /** An empty folder for this probe. */
  readonly folder: string;
  /** The folder of the storage. */
  readonly storage: string;
  readonly calls: ProbeCalls;
  readonly helper: ProbeHelper;
}

/** The least size of a part. */
const BLOCK_BYTES = 64 * 1024;

/** By the words for an operator. In this order: each may rely on those before it. */
export const PROBES: Readonly<Record<string, (probe: Probe) => Promise<void>>> = {
  'staging/ and files/ are on one file system': async ({ storage, calls }) => {
    const [staging, files] = [await calls.device(join(storage, 'staging')), await calls.device(join(storage, 'files'))];
    check(staging === files, 'they are on two');
  },

  'bytes are written at any offset, and those before it are zeros': async ({ folder, calls }) => {
    const [path, bytes] = [join(folder, 'sparse'), randomBytes(BLOCK_BYTES)];
    await calls.writeAt(path, bytes, 2 * BLOCK_BYTES);
    assertSame(await calls.read(path), Buffer.concat([Buffer.alloc(2 * BLOCK_BYTES), bytes]));
  },

  'files and folders can be flushed': async ({ folder, calls }) => {
    await calls.writeAt(join(folder, 'flushed'), randomBytes(10), 0);
    await calls.syncFolder(folder);
  },

  'a name is created by one process only (O_EXCL)': async ({ folder, calls, helper }) => {
    const path = join(folder, 'exclusive');
    await calls.createNew(path);
    await assertRefused('EEXIST', calls.createNew(path));
    await assertRefused('EEXIST', helper.createNew(path));
    await helper.createNew(`${path}-2`);
    await assertRefused('EEXIST', calls.createNew(`${path}-2`));
  },

  'a link does not replace a name': async ({ folder, calls }) => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    await calls.writeAt(from, Buffer.from('new'), 0);
    await calls.writeAt(to, Buffer.from('old'), 0);
    await assertRefused('EEXIST', calls.link(from, to));
    assertSame(await calls.read(to), Buffer.from('old'));
    await calls.link(from, `${to}-2`);
    assertSame(await calls.read(`${to}-2`), Buffer.from('new'));
  },

  'what one process has written and closed, another one reads': async ({ folder, calls, helper }) => {
    const path = join(folder, 'seen');
    const [first, second, third] = [randomBytes(BLOCK_BYTES), randomBytes(BLOCK_BYTES), randomBytes(BLOCK_BYTES)];
    await calls.writeAt(path, first, 0);
    assertSame(await helper.read(path), first);
    await helper.writeAt(path, second, BLOCK_BYTES);
    assertSame(await calls.read(path), Buffer.concat([first, second]));
    await helper.writeAt(path, third, 0);
    assertSame(await calls.read(path), Buffer.concat([third, second]));
  },

  'neighbouring parts that two processes write at once are both kept': async ({ folder, calls, helper }) => {
    const path = join(folder, 'neighbours');
    const [even, odd] = [randomBytes(BLOCK_BYTES), randomBytes(BLOCK_BYTES)];
    const blocks = [0, 2, 4, 6];
    const write = async (by: Pick<ProbeCalls, 'writeAt'>, bytes: Uint8Array, first: number) => {
      for (const block of blocks) await by.writeAt(path, bytes, (first + block) * BLOCK_BYTES);
    };
    await Promise.all([write(calls, even, 0), write(helper, odd, 1)]);
    const whole = Buffer.concat(blocks.flatMap(() => [even, odd]));
    assertSame(await calls.read(path), whole);
    assertSame(await helper.read(path), whole);
  },

  'a file that is renamed into another folder has its new name alone, for every process': async (probe) => {
    const { folder, calls, helper } = probe;
    const [from, to] = [join(folder, 'old-name'), join(folder, 'folder', 'new-name')];
    const bytes = randomBytes(100);
    await calls.makeFolder(join(folder, 'folder'));
    await calls.writeAt(from, bytes, 0);
    assertSame(await helper.read(from), bytes);
    await calls.rename(from, to);
    for (const path of [folder, join(folder, 'folder')]) await calls.syncFolder(path);
    assertSame(await helper.read(to), bytes);
    for (const by of [calls, helper]) await assertRefused('ENOENT', by.read(from));
  },

  'a file that is removed is gone, for every process': async ({ folder, calls, helper }) => {
    const path = join(folder, 'removed');
    await calls.writeAt(path, randomBytes(10), 0);
    await helper.read(path);
    await calls.unlink(path);
    for (const by of [calls, helper]) await assertRefused('ENOENT', by.read(path));
  },
};

function assertSame(found: Uint8Array, expected: Uint8Array): void {
  check(Buffer.compare(found, expected) === 0, 'other bytes were read');
}

async function assertRefused(code: string, attempt: Promise<unknown>): Promise<void> {
  const found = await attempt.then(
    () => 'it succeeded',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  check(found === code, `${found} instead of ${code}`);
}

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(what);
}
