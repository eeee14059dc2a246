/** What is done with a file after it was published, as its owner and the administrator see it. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FileRecord, Job, JobList } from '@cryolift/protocol/messages';
import { HAS_LATE_DIGESTS, type OwnServer, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { publish } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';

const ADA = { sub: 'ada', scope: 'uploads:write files:read files:delete files:locate' };
const folder = mkdtempSync(join(tmpdir(), 'cryolift-command-'));
const trace = join(folder, 'trace');
// Prints its input; waits while a marker file exists.
const script = join(folder, 'next step');
writeFileSync(
  script,
  `#!/bin/sh
cat > "${folder}/record"
echo "$1|$2" >> "${trace}"
while [ -e "${folder}/hold" ]; do sleep 0.05; done
echo "segmented $(basename "$2")"
exit $(cat "${folder}/code" 2>/dev/null || echo 0)
`,
);
chmodSync(script, 0o700);
const server = await startServer({ CRYOLIFT_ON_COMPLETE: `"${script}" --now`, CRYOLIFT_ACCEPT: 'txt' });
after(() => server.discard());
after(() => rmSync(folder, { recursive: true, force: true }));

async function readJob(call: Call, fileId: string, kind: string, status: string): Promise<Job> {
  for (;;) {
    const answer = await call('GET', `/files/${fileId}/jobs`);
    assert.equal(answer.status, 200, answer.body.toString());
    const job = answer.json<JobList>().items.find((each) => each.kind === kind);
    assert.ok(job, `a job of kind ${kind}`);
    if (job.status === status) return job;
    assert.ok(job.status === 'waiting' || job.status === 'running', `${status} was expected: ${JSON.stringify(job)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const runs = () => (existsSync(trace) ? readFileSync(trace, 'utf8').trim().split('\n') : []);

test('jobs: the command gets the record on stdin and the path of the file as argument; its end is kept', async () => {
  const call = callAs(server, ADA);
  const file = await publish(call, makeMrc(5000), { filename: 'Grid $(id) 7.mrc' });
  const job = await readJob(call, file.file_id, 'on_complete', 'done');
  assert.equal(job.attempts, 1);
  assert.equal(job.outcome?.exit_code, 0);
  const location = file.location as string;
  // In a bucket it is a URL.
  const path = location.startsWith('file:') ? fileURLToPath(location) : location;
  const name = basename(path);
  assert.equal(job.outcome?.output, `segmented ${name}\n`);
  assert.equal(path === location ? decodeURIComponent(name) : name, 'Grid $(id) 7.mrc');
  assert.equal(runs().at(-1), `--now|${path}`);
  const record = JSON.parse(readFileSync(join(folder, 'record'), 'utf8')) as FileRecord;
  // The command does not wait for a digest that comes late.
  const isLate = HAS_LATE_DIGESTS && record.sha256 === null;
  if (!isLate) assert.equal(record.sha256, file.sha256);
  assert.deepEqual([record.file_id, record.location], [file.file_id, file.location]);
});

test('jobs: an owner who may not know where files lie sees that it failed, not what it printed', async () => {
  writeFileSync(join(folder, 'code'), '7');
  const call = callAs(server, { sub: 'curious' });
  const file = await publish(call, makeMrc(5000));
  const job = await readJob(call, file.file_id, 'on_complete', 'failed');
  rmSync(join(folder, 'code'));
  assert.equal(job.outcome?.exit_code, 7);
  assert.equal(job.outcome?.output, undefined);
  assertFailure(await callAs(server, { sub: 'else' })('GET', `/files/${file.file_id}/jobs`), 'file_not_found');
  assertFailure(await call('GET', '/files/none/jobs'), 'file_not_found');
  const blind = callAs(server, { sub: 'curious', scope: 'uploads:write' });
  assertFailure(await blind('GET', `/files/${file.file_id}/jobs`), 'forbidden');
});

for (const [how, end] of [
  ['killed', (of: OwnServer) => of.kill9()],
  ['stopped', (of: OwnServer) => of.stop()],
] as const) {
  test(`jobs: a server that is ${how} while a command runs runs it again when it is back`, async () => {
    const call = callAs(server, ADA);
    writeFileSync(join(folder, 'hold'), '');
    const before = runs().length;
    const file = await publish(call, makeMrc(5000));
    while (runs().length === before) await new Promise((resolve) => setTimeout(resolve, 10));
    await end(server);
    rmSync(join(folder, 'hold'));
    await server.restart();
    const job = await readJob(callAs(server, ADA), file.file_id, 'on_complete', 'done');
    assert.equal(job.attempts, how === 'killed' ? 2 : 1);
    assert.equal(runs().length, before + 2);
  });
}

test('jobs: a file of another type runs only the command', async () => {
  const call = callAs(server, ADA);
  const file = await publish(call, Buffer.from('notes'), { filename: 'notes.txt' });
  await readJob(call, file.file_id, 'on_complete', 'done');
  const kinds = (await call('GET', `/files/${file.file_id}/jobs`)).json<JobList>().items.map(({ kind }) => kind);
  assert.deepEqual(kinds, [...(HAS_LATE_DIGESTS ? ['digest'] : []), 'on_complete']);
});

test('jobs: a deleted file takes its jobs with it', async () => {
  const call = callAs(server, ADA);
  const file = await publish(call, makeMrc(5000));
  await readJob(call, file.file_id, 'on_complete', 'done');
  assert.equal((await call('DELETE', `/files/${file.file_id}`)).status, 204);
  assertFailure(await call('GET', `/files/${file.file_id}/jobs`), 'file_not_found');
});
