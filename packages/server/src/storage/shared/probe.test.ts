/** File systems that do one thing wrong: the failure names the assumption, and the probe leaves nothing behind. */
import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AssumptionFailed } from './assumption.ts';
import { probeFolder } from './probe.ts';
import { type ProbeCalls, SYSTEM_PROBE } from './probe-calls.ts';
import { ProbeHelper } from './probe-helper.ts';
import { PROBES } from './probes.ts';

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-probe-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['staging', 'files']) await mkdir(join(folder, name));
  return folder;
}

const refuse = (code: string) => async () => {
  throw Object.assign(new Error('made to fail'), { code });
};

/** What was read before is read again, as from a cache that is never renewed. */
function cached(): ProbeCalls['read'] {
  const known = new Map<string, Promise<Buffer>>();
  return (path) => {
    const found = known.get(path) ?? SYSTEM_PROBE.read(path);
    known.set(path, found);
    return found;
  };
}

/** As a system that writes whole pages of 256 KiB back, with what it had read of the others. */
async function writePages(path: string, bytes: Uint8Array, offsetBytes: number): Promise<void> {
  const before = await SYSTEM_PROBE.read(path).catch(() => Buffer.alloc(0));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const page = Buffer.alloc(Math.max(before.length, offsetBytes + bytes.length));
  before.copy(page);
  page.set(bytes, offsetBytes);
  await writeFile(path, page);
}

const FAULTS: Record<string, { calls: Partial<ProbeCalls>; assumption: RegExp }> = {
  'two file systems': {
    calls: { device: async (path) => (path.endsWith('staging') ? 1 : 2) },
    assumption: /on one file system/,
  },
  'offsets are ignored': {
    calls: { writeAt: (path, bytes) => SYSTEM_PROBE.writeAt(path, bytes, 0) },
    assumption: /at any offset/,
  },
  'files cannot be flushed': {
    calls: {
      writeAt: (path, bytes, at) =>
        path.endsWith('flushed') ? refuse('EINVAL')() : SYSTEM_PROBE.writeAt(path, bytes, at),
    },
    assumption: /can be flushed \(EINVAL\)/,
  },
  'folders cannot be flushed': { calls: { syncFolder: refuse('EINVAL') }, assumption: /can be flushed \(EINVAL\)/ },
  'O_EXCL is ignored': {
    calls: { createNew: async (path) => await (await open(path, constants.O_CREAT)).close() },
    assumption: /O_EXCL/,
  },
  'no links': { calls: { link: refuse('EPERM') }, assumption: /a link does not replace/ },
  'links replace': { calls: { link: (from, to) => copyFile(from, to) }, assumption: /a link does not replace/ },
  'a cache is never renewed': { calls: { read: cached() }, assumption: /another one reads/ },
  'whole pages are written back': { calls: { writeAt: writePages }, assumption: /neighbouring parts/ },
  'a rename copies': {
    calls: { rename: (from, to) => copyFile(from, to) },
    assumption: /has its new name alone/,
  },
  'what is removed stays': { calls: { unlink: async () => {} }, assumption: /is gone/ },
};

test('probe: this file system is accepted, and nothing is left', async (t) => {
  const folder = await makeFolder(t);
  await probeFolder(folder);
  await Promise.all([probeFolder(folder), probeFolder(folder)]);
  assert.deepEqual(await readdir(join(folder, 'probe')), []);
  assert.deepEqual(await readdir(join(folder, 'staging')), []);
});

for (const [fault, { calls, assumption }] of Object.entries(FAULTS)) {
  test(`probe: ${fault}: the failure names the assumption`, async (t) => {
    const folder = await makeFolder(t);
    await assert.rejects(probeFolder(folder, { ...SYSTEM_PROBE, ...calls }), (error: Error) => {
      assert.ok(error instanceof AssumptionFailed, error.message);
      assert.match(error.message, assumption);
      return true;
    });
    assert.deepEqual(await readdir(join(folder, 'probe')), []);
  });
}

test('probe: every assumption was seen to fail', () => {
  const isTried = (words: string) =>
    Object.values(FAULTS).some(({ assumption }) => assumption.test(`${words} (EINVAL)`));
  assert.deepEqual(
    Object.keys(PROBES).filter((words) => !isTried(words)),
    [],
  );
});

test('probe: what a killed probe left behind is removed by a later one, and that of a running one is not', async (t) => {
  const folder = await makeFolder(t);
  const [old, running] = [join(folder, 'probe', 'old'), join(folder, 'probe', 'running')];
  for (const path of [old, running]) {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'sparse'), '');
  }
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(old, longAgo, longAgo);
  await probeFolder(folder);
  assert.deepEqual(await readdir(join(folder, 'probe')), ['running']);
});

test('probe: many requests leave no listeners at the second process', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.off('warning', note));
  const path = join(await makeFolder(t), 'read');
  await writeFile(path, 'bytes');
  const helper = new ProbeHelper();
  for (let nth = 0; nth < 12; nth++) assert.equal(String(await helper.read(path)), 'bytes');
  await helper.close();
  assert.deepEqual(warnings, []);
});
