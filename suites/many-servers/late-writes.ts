/**
 * A server stops while it stores one part with other bytes, another server stores it rightly, and then the first one goes on:
 * in a folder, what it had begun to write still reaches the file, because a folder knows no leases.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord } from '@cryolift/protocol/messages';
import { digestHeader, flipBit, sha256Hex } from '../contract/sample.ts';
import { cutPart, partPath } from '../contract/upload.ts';
import { Connection, callUnchecked, printHead } from '../contract/wire.ts';
import type { Point } from '../crash-points/points.ts';
import { inspect } from '../reliability/checks.ts';
import { completeUpload, insist, openUpload, readBack, sendPart } from '../reliability/upload-steps.ts';
import { planAppends, sendAppends, startAppends } from './appends.ts';
import type { PauseSite } from './pause-site.ts';

const OWNER = 'late-writer';
const PART_BYTES = 5 * 1024 * 1024;
const AGAIN_MS = 50;
const AFTERWARDS_MS = 3_000;
const RECEIVES_MS = 1_000;

/** `asked again`: the part was found to be wrong before the publish; `reported`: behind it, by the job of its digest. */
export type LateOutcome = 'right' | 'asked again' | 'reported' | 'not met';

let names = 0;

/** @param declares the SHA-256 of the whole, at complete. */
export async function writeLate(site: PauseSite, point: Point, declares: 'complete' | 'never'): Promise<LateOutcome> {
  const { steps, ledger } = site;
  const plan = {
    owner: OWNER,
    filename: `late-${++names}.dat`,
    sizeBytes: PART_BYTES + 700,
    partSizeBytes: PART_BYTES,
  };
  const entry = ledger.open({ ...plan, declares, by: 'wire' });
  const bytes = entry.makeBytes();
  const upload = await openUpload(steps, entry);
  const wrong = flipBit(cutPart(bytes, upload, 0), PART_BYTES >> 1);
  let late: Promise<unknown> = Promise.resolve();
  const wasPaused = await site.whilePaused(point, 1, async (paused) => {
    const call = callUnchecked(site.first, { authorization: `Bearer ${steps.caller.token(OWNER)}` });
    const extra = { body: wrong, headers: { 'content-digest': digestHeader(wrong) } };
    late = call('PUT', partPath(upload, 0), extra).then(
      ({ status }) => {
        if (status === 201) ledger.noteFault(entry, 'a server that was stopped has acknowledged its part');
      },
      () => {},
    );
    if (!(await Promise.race([paused, late.then(() => false)]))) return;
    await sendPart(steps, entry, bytes, 0, 'with digest');
    await sendPart(steps, entry, bytes, 1, 'with digest');
  });
  await late;
  if (!wasPaused) return 'not met';
  const before = ledger.counts.takenBackParts;
  steps.weather.losses = true;
  await completeUpload(steps, entry, bytes);
  steps.weather.losses = false;
  const record = await awaitDigest(site, entry.fileId as string);
  if (record?.sha256 === null || !record) return 'reported';
  await readBack(steps, entry);
  if (record.sha256 !== sha256Hex(bytes)) ledger.noteFault(entry, `its record has the SHA-256 ${record.sha256}`);
  return ledger.counts.takenBackParts > before ? 'asked again' : 'right';

  /** @returns null when the job has ended without a digest: the file is damaged, which an event has said. */
  async function awaitDigest({ hasReported }: PauseSite, fileId: string): Promise<FileRecord | null> {
    for (const endMs = performance.now() + steps.patienceMs; ; await sleep(AGAIN_MS)) {
      const found = await insist(steps, entry, { method: 'GET', path: `/files/${fileId}`, expected: ['200'] });
      const record = found.json<FileRecord>();
      if (record.sha256 !== null) return record;
      if (hasReported(fileId)) return null;
      if (performance.now() < endMs) continue;
      ledger.noteFault(entry, 'it got no digest, and is not reported as damaged');
      return null;
    }
  }
}

/**
 * The first server stops between the bytes of a part and its record, and goes on while the second one, which has taken the
 * part over, receives it.
 */
export async function recordLate(site: PauseSite): Promise<boolean> {
  const { steps, ledger } = site;
  const plan = { owner: OWNER, filename: `late-${++names}.dat`, sizeBytes: PART_BYTES, partSizeBytes: PART_BYTES };
  const entry = ledger.open({ ...plan, declares: 'complete', by: 'wire' });
  const bytes = entry.makeBytes();
  const upload = await openUpload(steps, entry);
  const wrong = flipBit(bytes, 1000);
  const head = (body: Buffer) =>
    printHead('PUT', partPath(upload, 0), {
      authorization: `Bearer ${steps.caller.token(OWNER)}`,
      'content-length': String(body.length),
      'content-digest': digestHeader(body),
    });
  const [late, second] = [await Connection.open(site.first.url), await Connection.open(site.second.url)];
  const wasPaused = await site.whilePaused({ name: 'part.stored', when: 'between' }, 1, async (paused) => {
    late.send(head(wrong));
    late.send(wrong);
    if (!(await Promise.race([paused, sleep(AFTERWARDS_MS).then(() => false)]))) return;
    second.send(head(bytes));
    second.send(bytes.subarray(0, PART_BYTES >> 1));
    // It has the lease, and its first bytes are in the folder.
    await sleep(RECEIVES_MS);
  });
  if (wasPaused) {
    // By now the first one has gone on. It waits for what becomes of the part.
    second.send(bytes.subarray(PART_BYTES >> 1));
    const [lateAnswer, answer] = await Promise.all([late.answer('PUT').catch(() => null), second.answer('PUT')]);
    if (lateAnswer?.status === 201) ledger.noteFault(entry, 'a server that lost its lease has recorded its part');
    if (answer.status !== 201) ledger.noteFault(entry, `the second server answered ${answer.status} ${answer.body}`);
  }
  for (const connection of [late, second]) connection.close();
  steps.weather.losses = true;
  await completeUpload(steps, entry, bytes);
  steps.weather.losses = false;
  await readBack(steps, entry);
  return wasPaused;
}

/** The first server stops while it gives a file of unknown length its next length: the nth time, from 1. */
export async function growLate(site: PauseSite, nth: number): Promise<boolean> {
  const { steps, ledger } = site;
  const appends = planAppends(ledger, `${OWNER}-${++names}`, PART_BYTES);
  await site.atSecond(() => startAppends(steps, appends));
  const wasPaused = await site.whilePaused({ name: 'disk.truncate', when: 'before' }, nth, async () => {
    await sendAppends(steps, appends);
  });
  for (const entry of [appends.growing, appends.joined]) await inspect(steps, entry);
  return wasPaused;
}
