/** The page sends parts to further origins of its server, and does without one that is broken. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Response } from 'playwright-core';
import { listFiles } from '../contract/upload.ts';
import { findPorts } from '../program.ts';
import { drop, PageUnderTest, uploadRow, writeMrc } from './page-under-test.ts';

/** 96 MiB. */
const SECTIONS = 12;

const [port, closedPort] = await findPorts(2);
// Browsers know that all names below localhost are this machine.
const origin = `http://a2.localhost:${port}`;
const broken = `http://a3.localhost:${closedPort}`;
const under = await PageUnderTest.start(
  {
    CRYOLIFT_PORT: String(port),
    CRYOLIFT_PUBLIC_URL: `http://127.0.0.1:${port}`,
    CRYOLIFT_PART_ORIGINS: `${origin},${broken}`,
  },
  [origin, broken],
);
after(() => under.discard());

test('page: parts go to the further origins, and those to a broken one to the server', async () => {
  const owner = under.newOwner();
  const path = writeMrc(under.folder, 'movie.mrc', SECTIONS);
  const page = await under.open(owner);
  const stored = new Map<string, number>();
  let failedCount = 0;
  page.on('response', (response: Response) => {
    const { origin: from } = new URL(response.url());
    if (response.request().method() === 'PUT' && response.ok()) stored.set(from, (stored.get(from) ?? 0) + 1);
  });
  page.on('requestfailed', (request) => {
    if (request.url().startsWith(broken)) failedCount++;
  });
  await drop(page, [path]);
  await uploadRow(page, 'movie.mrc', 'done').waitFor();
  const [file] = await listFiles(owner.call);
  assert.equal(file?.sha256, createHash('sha256').update(readFileSync(path)).digest('hex'));
  assert.deepEqual([...stored.keys()].sort(), [new URL(under.server.url).origin, origin].sort());
  assert.ok(failedCount > 0, 'the broken one was tried');
});
