/** `cryolift admin sessions`, `sweep` and `deliveries`. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '@cryolift/client';
import type { Delivery, OwnedUpload, SweepReport, Swept } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from 'cryolift/connection';
import { EXIT, type ExitCode } from 'cryolift/exit';
import { formatBytes, formatWhen } from 'cryolift/format';
import { collectPages, isCount, isObject, printList } from 'cryolift/listing';
import { Output } from 'cryolift/output';

type Flags = ConnectionOptions & { json?: boolean; all?: boolean };

/** How often the command asks whether a sweep has ended. */
const ASK_AGAIN_MS = 2_000;
const ENDED: readonly OwnedUpload['status'][] = ['completed', 'cancelled', 'expired'];

export async function listSessions(flags: Flags): Promise<ExitCode> {
  const uploads = await collectPages<OwnedUpload>(connect(flags, 'admin'), '/admin/sessions');
  const shown = uploads.filter(({ status }) => flags.all || !ENDED.includes(status));
  const nowMs = Date.now();
  const head = ['UPLOAD', 'OWNER', 'STATE', 'SIZE', 'DONE', 'STARTED', 'CHANGED', 'EXPIRES'];
  const rows = shown.map((each) => [
    each.upload_id,
    each.owner,
    each.status,
    formatBytes(each.size),
    `${Math.floor(each.progress * 100)}%`,
    formatWhen(each.created_at, nowMs),
    formatWhen(each.updated_at, nowMs),
    formatWhen(each.expires_at, nowMs),
  ]);
  return printList(flags, shown, head, rows, 'no unfinished uploads');
}

export async function sweep(flags: Flags): Promise<ExitCode> {
  const api = connect(flags, 'admin');
  const answer = await api.call(isSweptOrReport, 'POST', '/admin/sweep');
  const swept = 'status' in answer ? await endOfSweep(api) : answer;
  if (!swept) throw new Error('The sweep did not finish: the server was stopped, or its log has the reason.');
  const { expired, deleted, leftovers, forgotten } = swept;
  new Output(flags.json).result(
    swept,
    () =>
      `${say(expired)} expired, ${say(leftovers)} leftovers removed, ${say(deleted)} deletions finished, ${say(forgotten)} old rows deleted`,
  );
  return Object.values(swept).includes(null) ? EXIT.failed : EXIT.done;
}

/** Waits for the sweep, which runs in the server. @returns null when it did not finish. */
async function endOfSweep(api: Api): Promise<Swept | null> {
  for (;;) {
    const { status, swept } = await api.call(isReport, 'GET', '/admin/sweep');
    if (status !== 'running') return swept;
    await sleep(ASK_AGAIN_MS);
  }
}

function say(count: number | null): string {
  return count === null ? '(failed)' : String(count);
}

export async function listDeliveries(flags: Flags): Promise<ExitCode> {
  const path = `/webhooks/deliveries${flags.all ? '' : '?status=dead'}`;
  const deliveries = await collectPages<Delivery>(connect(flags, 'admin'), path);
  const nowMs = Date.now();
  const head = ['SEQ', 'EVENT', 'UPLOAD', 'STATE', 'TRIED', 'SINCE', 'LAST ERROR'];
  const rows = deliveries.map(({ seq, type, upload_id, status, attempts, created_at, trouble }) => [
    String(seq),
    type.replace(/^cryolift\./, ''),
    upload_id,
    status,
    String(attempts),
    formatWhen(created_at, nowMs),
    trouble ?? '',
  ]);
  return printList(flags, deliveries, head, rows, 'no events that are no longer tried');
}

export async function retryDelivery(seq: number, flags: Flags): Promise<ExitCode> {
  const delivery = await connect(flags, 'admin').call(isDelivery, 'POST', `/webhooks/deliveries/${seq}/retry`);
  new Output(flags.json).result(delivery, () => `event ${seq} is sent again`);
  return EXIT.done;
}

/** The result by step. An unknown answer does not prove that anything was done. */
const isSwept = (value: unknown): value is Swept =>
  isObject<Swept>(value) &&
  [value.expired, value.deleted, value.leftovers, value.forgotten].every((count) => count === null || isCount(count));

const isReport = (value: unknown): value is SweepReport =>
  isObject<SweepReport>(value) &&
  ['never', 'running', 'done'].includes(value.status) &&
  (value.swept === null || isSwept(value.swept));

const isSweptOrReport = (value: unknown): value is Swept | SweepReport => isSwept(value) || isReport(value);

const isDelivery = (value: unknown): value is Delivery => isObject<Delivery>(value) && isCount(value.seq);
