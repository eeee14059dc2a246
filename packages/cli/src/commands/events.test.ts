import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { TestBench } from '../testing/test-process.ts';

const bench = await TestBench.start({ CRYOLIFT_ACCEPT: 'txt' });
after(async () => {
  assert.equal(await bench.stop(), 0);
});

async function upload(name: string): Promise<{ upload_id: string }> {
  await writeFile(bench.path(name), name);
  const { code, stdout, stderr } = await bench.run(['upload', bench.path(name), '--json']);
  assert.equal(code, 0, stderr);
  const line = stdout.split('\n').find((each) => each.includes('"upload_id"')) ?? '{}';
  return JSON.parse(line) as { upload_id: string };
}

test('events: each event is printed as a line until Ctrl-C', async () => {
  const following = bench.begin(['events', '--after', '0']);
  let printed = '';
  following.child.stdout?.on('data', (text: string) => {
    printed += text;
  });
  await upload('a note.txt');
  while (!printed.includes('upload.completed')) await once(following.child.stdout as NodeJS.ReadableStream, 'data');
  following.child.kill('SIGINT');
  assert.equal((await following.ended).code, 130);
  assert.match(printed, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}upload\.created +10 B {2}a note\.txt {2}uploads\/\w+$/m);
});

test('events: the stream of one upload ends with its outcome; --json prints each CloudEvent', async () => {
  const { upload_id } = await upload('b.txt');
  const { code, stdout } = await bench.run(['events', upload_id, '--after', '0', '--json']);
  assert.equal(code, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(events.every(({ specversion, subject }) => specversion === '1.0' && subject === `uploads/${upload_id}`));
  assert.equal(events[0]?.type, 'cryolift.upload.created');
  assert.ok(events.some(({ type }) => type === 'cryolift.upload.completed'));
  assert.equal((await bench.run(['events', 'none'])).code, 1);
  assert.equal((await bench.run(['events', '--after', 'x'])).code, 2);
});
