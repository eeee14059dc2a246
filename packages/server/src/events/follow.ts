/**
 * One stream of events, as the text of server-sent events (WHATWG HTML, section 9.2): missed events, the state of
 * uploads, and then new events. It is produced as the reader reads it, so that a slow reader needs no memory: events
 * wait in the outbox, and only the latest progress is sent.
 */
import { setImmediate } from 'node:timers/promises';
import type { UploadRecord } from '@cryolift/protocol/messages';
import type { Database } from '../db/database.ts';
import { type EventFilter, findNewestSeq, listEvents } from '../db/events.ts';
import type { Bus, Watch } from './bus.ts';
import { isEnd, isEndEvent, printKept, printLive, uploadSubject } from './event.ts';
import { Inbox } from './inbox.ts';
import type { Pace } from './pace.ts';

/** Events per read. This bounds the memory of a stream whose reader is stalled. */
const BATCH = 8;
/** Uploads per read, and the limit of characters for long ones. */
const UPLOADS = 50;
const UPLOADS_LENGTH = 64 * 1024;

/** An upload when it was read. */
interface Snapshot {
  readonly uploadId: string;
  readonly status: UploadRecord['status'];
  /** JSON. */
  readonly data: string;
}

export interface EventContext {
  readonly db: Database;
  readonly bus: Bus;
  readonly pace: Pace;
  /** URI reference of this server: the `source` of its events. */
  readonly source: string;
  /** A comment is sent after this long without an event, so that proxies keep the connection. */
  readonly heartbeatMs: number;
  now(): number;
  newId(): string;
  /** The current upload; undefined when it does not exist. */
  readUpload(uploadId: string): Promise<UploadRecord | undefined>;
}

/**
 * @param after the number of the last event that the reader has received; null: start now.
 * @param mayRead true when this reader has access to the events of a subject.
 * @param signal ends it. The stream of one upload also ends by itself, with the upload.
 */
export async function* follow(
  context: EventContext,
  watch: Watch,
  after: number | null,
  mayRead: (subject: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const filter: EventFilter = 'owner' in watch ? watch : { subject: uploadSubject(watch.uploadId) };
  const inbox = new Inbox();
  const unlisten = context.bus.listen(watch, inbox);
  /** The upload whose state was not sent yet. */
  let unsent = 'owner' in watch ? null : watch.uploadId;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let sentAtMs = performance.now();
  try {
    const newest = await findNewestSeq(context.db);
    // A greater number belongs to an earlier database.
    let seq = Math.min(after ?? newest, newest);
    yield `: listening\nid: ${seq}\n\n`;
    while (!signal.aborted) {
      const uploads = new Map((await readDue()).map((each) => [uploadSubject(each.uploadId), each]));
      if (unsent !== null && uploads.size === 0) return;
      // Read after the uploads, completely: the events that led to their states are here, or were sent.
      for (let rows = BATCH; rows === BATCH && !signal.aborted; ) {
        const batch = await listEvents(context.db, filter, seq, BATCH);
        rows = batch.length;
        for (const row of batch) {
          seq = row.seq;
          // A newer event exists.
          uploads.delete(row.subject);
          if (!mayRead(row.subject)) continue;
          yield printKept(row, context.source);
          sentAtMs = performance.now();
          if ('uploadId' in watch && isEndEvent(row)) return;
        }
      }
      for (const upload of uploads.values()) {
        const isSnapshot = upload.uploadId === unsent;
        if (isEnd(upload.status) && !isSnapshot) continue;
        unsent = null;
        yield printLive(isSnapshot ? 'snapshot' : 'progress', draft(upload), context.source, seq);
        sentAtMs = performance.now();
        if (isEnd(upload.status)) return;
      }
      if (unsent === null) await pause();
      if (performance.now() - sentAtMs >= context.heartbeatMs) {
        yield ':\n\n';
        sentAtMs = performance.now();
      }
    }
  } finally {
    unlisten();
  }

  /** The uploads whose states are due. */
  async function readDue(): Promise<Snapshot[]> {
    const found: Snapshot[] = [];
    if (unsent !== null) await read(unsent);
    else if (performance.now() >= context.pace.nextMs(readAtMs)) {
      for (let length = 0; found.length < UPLOADS && length < UPLOADS_LENGTH; ) {
        const id = inbox.takeMoved();
        if (id === undefined) break;
        readAtMs = performance.now();
        length += await read(id);
        context.pace.note(performance.now() - readAtMs);
        // Yields to other requests.
        await setImmediate();
      }
    }
    return found;

    async function read(uploadId: string): Promise<number> {
      const upload = await context.readUpload(uploadId);
      if (!upload) return 0;
      const data = JSON.stringify(upload);
      found.push({ uploadId, status: upload.status, data });
      return data.length;
    }
  }

  async function pause(): Promise<void> {
    const wakeMs = sentAtMs + context.heartbeatMs;
    const nowMs = performance.now();
    const untilMs = inbox.hasMoved ? Math.min(wakeMs, context.pace.nextMs(readAtMs)) : wakeMs;
    await inbox.wait(untilMs - nowMs, signal);
  }

  function draft({ uploadId, data }: Snapshot) {
    return { id: context.newId(), subject: uploadSubject(uploadId), time: context.now(), data };
  }
}
