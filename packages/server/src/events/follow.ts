/**
 * One stream of events, as the text of server-sent events (WHATWG HTML, section 9.2): what was missed, how an upload
 * stands, and then what happens. It is made piece by piece as the reader takes it, so that a slow reader costs no memory:
 * what has happened waits in the outbox, and of progress only the newest is ever told.
 */
import { setImmediate } from 'node:timers/promises';
import type { Session } from '@cryolift/protocol/messages';
import type { Database } from '../db/database.ts';
import { type EventFilter, findNewestSeq, listEvents } from '../db/events.ts';
import type { Bus, Watch } from './bus.ts';
import { isEnd, printKept, printLive, tellsEnd, uploadSubject } from './event.ts';
import { Inbox } from './inbox.ts';
import type { Pace } from './pace.ts';

/** Events that are read at once: what one stream holds while its reader takes nothing is bounded by it. */
const BATCH = 8;
/** Sessions that are read in one go, and when they are long, as many as have so many characters. */
const SESSIONS = 50;
const SESSIONS_LENGTH = 64 * 1024;

/** A session as it stood when it was read. */
interface Snapshot {
  readonly uploadId: string;
  readonly status: Session['status'];
  /** JSON. */
  readonly data: string;
}

export interface EventContext {
  readonly db: Database;
  readonly bus: Bus;
  readonly pace: Pace;
  /** URI-reference of this server: the `source` of its events. */
  readonly source: string;
  /** A comment is sent after this long without an event, so that proxies keep the connection. */
  readonly heartbeatMs: number;
  now(): number;
  newId(): string;
  /** The session as it is now; undefined when there is none. */
  readUpload(uploadId: string): Promise<Session | undefined>;
}

/**
 * @param after the number of the last event that the reader has seen; null: it begins now.
 * @param mayTell whether this reader may know of a subject's events.
 * @param signal ends it. The stream of one upload also ends by itself, with the upload.
 */
export async function* follow(
  context: EventContext,
  watch: Watch,
  after: number | null,
  mayTell: (subject: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const filter: EventFilter = 'owner' in watch ? watch : { subject: uploadSubject(watch.uploadId) };
  const inbox = new Inbox();
  const unlisten = context.bus.listen(watch, inbox);
  /** The upload of which it has not been told yet how it stands. */
  let unseen = 'owner' in watch ? null : watch.uploadId;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let toldMs = performance.now();
  try {
    const newest = await findNewestSeq(context.db);
    // A greater number is one of a database that is gone.
    let seq = Math.min(after ?? newest, newest);
    yield `: listening\nid: ${seq}\n\n`;
    while (!signal.aborted) {
      const sessions = new Map((await look()).map((each) => [uploadSubject(each.uploadId), each]));
      if (unseen !== null && sessions.size === 0) return;
      // Read after the sessions, and all of them: what led to how the sessions stand is here, or has been told.
      for (let rows = BATCH; rows === BATCH && !signal.aborted; ) {
        const batch = await listEvents(context.db, filter, seq, BATCH);
        rows = batch.length;
        for (const row of batch) {
          seq = row.seq;
          // It has been overtaken.
          sessions.delete(row.subject);
          if (!mayTell(row.subject)) continue;
          yield printKept(row, context.source);
          toldMs = performance.now();
          if ('uploadId' in watch && tellsEnd(row)) return;
        }
      }
      for (const session of sessions.values()) {
        const isSnapshot = session.uploadId === unseen;
        if (isEnd(session.status) && !isSnapshot) continue;
        unseen = null;
        yield printLive(isSnapshot ? 'snapshot' : 'progress', draft(session), context.source, seq);
        toldMs = performance.now();
        if (isEnd(session.status)) return;
      }
      if (unseen === null) await pause();
      if (performance.now() - toldMs >= context.heartbeatMs) {
        yield ':\n\n';
        toldMs = performance.now();
      }
    }
  } finally {
    unlisten();
  }

  /** The sessions that are to be told of now. */
  async function look(): Promise<Snapshot[]> {
    const found: Snapshot[] = [];
    if (unseen !== null) await read(unseen);
    else if (performance.now() >= context.pace.nextMs(lookedMs)) {
      for (let length = 0; found.length < SESSIONS && length < SESSIONS_LENGTH; ) {
        const id = inbox.takeMoved();
        if (id === undefined) break;
        lookedMs = performance.now();
        length += await read(id);
        context.pace.note(performance.now() - lookedMs);
        // Other requests come in between.
        await setImmediate();
      }
    }
    return found;

    async function read(uploadId: string): Promise<number> {
      const session = await context.readUpload(uploadId);
      if (!session) return 0;
      const data = JSON.stringify(session);
      found.push({ uploadId, status: session.status, data });
      return data.length;
    }
  }

  async function pause(): Promise<void> {
    const wakeMs = toldMs + context.heartbeatMs;
    const nowMs = performance.now();
    const untilMs = inbox.hasMoved ? Math.min(wakeMs, context.pace.nextMs(lookedMs)) : wakeMs;
    await inbox.wait(untilMs - nowMs, signal);
  }

  function draft({ uploadId, data }: Snapshot) {
    return { id: context.newId(), subject: uploadSubject(uploadId), time: context.now(), data };
  }
}
