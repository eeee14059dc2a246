/** `cryolift migrate` that is killed, or whose target fails, and is run again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord } from '@cryolift/protocol/messages';
import { startProxy } from '../../packages/server/src/storage/s3/test-proxy.ts';
import { makeMrc } from '../contract/sample.ts';
import { publish } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { seedRandom } from '../faults/random.ts';
import { Volume, whyNot } from '../reliability/volume.ts';
import { type Settings, startServer } from '../server-under-test.ts';
import { assertMoved, beginMigrate, type Content, fill, migrate, summaryOf } from './migration.ts';
import { environmentOf, makeFolder, onDisk, onEngines, options, toTarget } from './migration-sides.ts';

const CLAIMS = { sub: 'ada', scope: 'uploads:write files:read files:delete admin' };
const SEED = 20_261_129;
const FILES = 60;
/** What a run says when it is in the middle of a step. */
const KILL_AT = [/"step":"uploads"/, /"step":"uploads"/, /"step":"files"/, /"step":"files","rows":\d+,"files":[1-9]/];

async function makeLargeSource(settings: Settings): Promise<Content> {
  const server = await startServer(settings);
  const content = await fill(server);
  const files: { record: FileRecord; bytes: Buffer }[] = [];
  for (let nr = 0; nr < FILES; nr++) {
    const bytes = makeMrc(70_000 + nr);
    files.push({ bytes, record: await publish(callAs(server, CLAIMS), bytes, { filename: `${nr}.mrc` }) });
  }
  assert.equal(await server.stop(), 0);
  return { ...content, files: [...content.files, ...files] };
}

async function waitFor({ child, ended }: ReturnType<typeof beginMigrate>, mark: RegExp): Promise<void> {
  let said = '';
  child.stdout?.on('data', (text: string) => {
    said += text;
  });
  while (!mark.test(said) && child.exitCode === null) await Promise.race([once(child.stdout ?? child, 'data'), ended]);
}

test('migrate: killed in every step, it goes on and moves everything once', options, async (t) => {
  const source = onDisk(makeFolder(t));
  const target = await onEngines(t, makeFolder(t));
  const content = await makeLargeSource(source);
  const random = seedRandom(SEED);
  const env = environmentOf(source, target);
  let copied = 0;
  const rows = beginMigrate(env, toTarget(target));
  await waitFor(rows, /"step":"rows"/);
  rows.child.kill('SIGKILL');
  assert.equal((await rows.ended).code, null);
  const interrupted = beginMigrate(env, toTarget(target));
  await waitFor(interrupted, /"step":"uploads"/);
  interrupted.child.kill('SIGINT');
  const { code: exitCode, stdout: lastWords } = await interrupted.ended;
  assert.deepEqual([exitCode, /"code":"interrupted"/.test(lastWords)], [130, true], lastWords);
  for (const [nr, mark] of KILL_AT.entries()) {
    const { child, ended } = beginMigrate(env, toTarget(target));
    await waitFor({ child, ended }, mark);
    await sleep(random.whole(0, 60));
    child.kill('SIGKILL');
    const { code, stdout, stderr } = await ended;
    assert.equal(code, null, `kill ${nr} came too late: ${stdout}${stderr}`);
    copied = Math.max(copied, ...[...stdout.matchAll(/"rows":\d+,"files":(\d+)/g)].map(([, files]) => Number(files)));
  }
  assert.ok(copied > 0);
  const done = await migrate(env, toTarget(target));
  assert.equal(done.code, 0, done.stdout + done.stderr);
  const { already_copied, files, complete } = summaryOf(done);
  assert.ok(already_copied >= copied, `${already_copied} of ${copied} files were not copied again`);
  assert.deepEqual([already_copied + files, complete], [FILES + 3, true]);
  const server = await startServer(target);
  t.after(() => server.discard());
  await assertMoved(server, content, [[1, 1]]);
});

test('migrate: a bucket that fails is an error, and the next run goes on', options, async (t) => {
  const source = onDisk(makeFolder(t));
  let fails = true;
  let puts = 0;
  const target = await onEngines(t, makeFolder(t), async (real) => {
    const proxy = await startProxy(t, real);
    proxy.decide = (method, query) => {
      if (method === 'PUT' && query.has('partNumber')) puts++;
      return fails && puts > 3 ? { kind: 'refuse', status: 507, code: 'InsufficientStorage' } : null;
    };
    return proxy.url;
  });
  const content = await makeLargeSource(source);
  const env = environmentOf(source, target);
  const failed = await migrate(env, toTarget(target));
  assert.equal(failed.code, 1, failed.stdout + failed.stderr);
  assert.match(failed.stdout, /"migration_stopped","message":"The storage is full\."/);
  fails = false;
  const done = await migrate(env, toTarget(target));
  assert.equal(done.code, 0, done.stdout + done.stderr);
  const server = await startServer(target);
  t.after(() => server.discard());
  await assertMoved(server, content, [[1, 1]]);
});

const onVolume = { skip: whyNot('tmpfs') ?? false, timeout: 400_000 };

test('migrate: a full disk is an error, and the next run goes on when there is space', onVolume, async (t) => {
  const source = onDisk(makeFolder(t));
  const content = await makeLargeSource(source);
  const volume = Volume.create('tmpfs', 'small');
  t.after(() => volume.remove());
  const ballast = join(volume.path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(148 * 1024 * 1024, 1));
  const target = onDisk(join(volume.path, 'data'));
  const failed = await migrate(source, toTarget(target));
  assert.equal(failed.code, 1, failed.stdout + failed.stderr);
  assert.match(failed.stdout, /"migration_stopped"/);
  rmSync(ballast);
  const done = await migrate(source, toTarget(target));
  assert.equal(done.code, 0, done.stdout + done.stderr);
  const server = await startServer(target);
  try {
    await assertMoved(server, content, [[1, 1]]);
  } finally {
    await server.discard();
  }
});
