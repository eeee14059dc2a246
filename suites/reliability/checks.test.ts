/** The checks of the campaigns can fail: each is shown something that is wrong. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { flipBit } from '../contract/sample.ts';
import { Caller } from './caller.ts';
import { type Entry, Ledger } from './ledger.ts';
import { Site } from './site.ts';

const TIMEOUT_MS = 110_000;
const PATIENCE_MS = 60_000;

function isStored({ completed, deleted, plan }: Entry): boolean {
  return completed === 'answered' && deleted === 'no' && plan.by === 'wire' && plan.sizeBytes > 0;
}

function isOpen({ upload, completed, cancelled, acknowledged }: Entry): boolean {
  return upload !== null && completed === 'no' && cancelled === 'no' && acknowledged.size > 0;
}

/** Lets clients work until there is enough to spoil. */
async function collect(site: Site): Promise<{ stored: Entry[]; open: Entry[] }> {
  for (const deadlineMs = performance.now() + PATIENCE_MS; ; ) {
    await site.load(100);
    await site.hush();
    const { entries } = site.ledger;
    const found = { stored: entries.filter(isStored), open: entries.filter(isOpen) };
    if (found.stored.length >= 3 && found.open.length >= 2) return found;
    assert.ok(performance.now() < deadlineMs, 'the clients have done too little');
  }
}

test('checks: find lost parts, wrong bytes, files that came back, orphans and impossible states', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const site = await Site.open({ seed: 7, losses: false, commandsMayFail: true });
  context.after(() => site.discard(false));
  const { stored, open } = await collect(site);
  const [damaged, back] = stored as [Entry, Entry];
  const [lost, failed] = open as [Entry, Entry];
  assert.equal(site.ledger.faults.length, 0, site.ledger.faults.join());
  await site.kill9();

  const { dataDir } = site.server;
  const path = join(dataDir, 'files', damaged.fileId as string, damaged.plan.filename);
  chmodSync(path, 0o600);
  writeFileSync(path, flipBit(readFileSync(path), 0));
  mkdirSync(join(dataDir, 'files', 'orphan'));
  const database = new DatabaseSync(join(dataDir, 'cryolift.sqlite'));
  const [idx] = lost.acknowledged;
  database
    .prepare('DELETE FROM parts WHERE upload_id = ? AND idx = ?')
    .run(lost.upload?.upload_id as string, idx as number);
  database.prepare("UPDATE uploads SET status = 'failed' WHERE id = ?").run(failed.upload?.upload_id as string);
  database.close();
  // The same as a file that came back after it was deleted.
  back.deleted = 'answered';

  await site.start();
  for (const entry of [damaged, back, lost, failed]) entry.touched = true;
  await site.inspect();
  await site.close();
  const faults = site.ledger.faults.join('\n');
  for (const [entry, what] of [
    [damaged, /has \d+ wrong bytes/],
    [back, /answered 200, expected 404 file_not_found/],
    [back, /was deleted and is in the list of files/],
    [lost, new RegExp(`acknowledged parts are lost: ${idx}\n`)],
    [failed, /it is failed and should be pending or uploading/],
    [failed, /\/complete answered 409 upload_closed, expected 200/],
  ] as const) {
    const name = (entry as Entry).plan.filename;
    const own = site.ledger.faults.filter((fault) => fault.startsWith(`${name} `)).join('\n');
    assert.match(`${own}\n`, what, faults);
  }
  assert.match(faults, /files\/orphan \(\) has no record/);
});

test('checks: the caller sees answers outside the contract, refusals that nothing explains, and silence', async (context) => {
  const site = await Site.open({ seed: 8, losses: false, commandsMayFail: true });
  context.after(() => site.discard(false));
  let answer = null as { status: number; body: string } | null;
  const bad = createServer((request, response) => {
    if (!answer) request.socket.destroy();
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  }).listen(0, '127.0.0.1');
  context.after(() => bad.close());
  await new Promise((resolve) => bad.once('listening', resolve));
  let url = site.server.url;
  const ledger = new Ledger();
  const weather = { away: false, troubles: [], cuts: false, losses: false, commandsMayFail: false };
  const caller = new Caller(
    {
      get url() {
        return url;
      },
      token: site.server.token,
    },
    ledger,
    weather,
  );
  await caller.readDocument();
  url = `http://127.0.0.1:${(bad.address() as AddressInfo).port}`;
  const envelope = { message: 'm', hint: 'h', retryable: true, request_id: 'r' };
  for (const [status, body, fault] of [
    [500, { ...envelope, code: 'internal' }, /answered 500 internal, expected 200/],
    [503, { ...envelope, code: 'internal' }, /outside the contract: code internal with status 503/],
    [503, { ...envelope, code: 'storage_unavailable' }, /answered 503 storage_unavailable, expected 200/],
    [503, { code: 'storage_unavailable' }, /outside the contract: a refusal without message/],
    [200, { file_id: 'only this' }, /outside the contract: the answer is not as documented/],
    [null, null, /got no answer/],
  ] as const) {
    ledger.faults.length = 0;
    answer = status === null ? null : { status, body: JSON.stringify(body) };
    await caller.ask('ada', null, { method: 'GET', path: '/files/some-id', expected: ['200'] });
    assert.match(ledger.faults.join('\n'), fault);
  }
});
