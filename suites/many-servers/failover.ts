/**
 * PostgreSQL fails over to a replica that lacks the last commits, while two servers go on: what was acknowledged meanwhile is
 * gone from what they say. What clients do then must end with right files, and nobody is told anything wrong.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FilePage, FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import { Bucket } from '../../packages/server/src/storage/s3/bucket.ts';
import { EventStream } from '../contract/event-stream.ts';
import { digestHeader, sha256Hex } from '../contract/sample.ts';
import { cutPart, partPath } from '../contract/upload.ts';
import { type Answer, type Call, callAs, type Extra } from '../contract/wire.ts';
import type { RunningService } from '../engines/running-service.ts';
import type { Random } from '../faults/random.ts';
import { makeContent } from '../reliability/content.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { Replicated } from './replicated.ts';
import { query } from './sessions.ts';

const MIB = 1024 * 1024;
const OWNER = { sub: 'ada' };
const PATIENCE_MS = 60_000;
const AGAIN_MS = 50;
/** PostgreSQL counts a sequence up to 32 ahead: with more events than that, numbers are lost. */
const LOST_CHANGES = 18;
const NEW_CHANGES = 2;
const AWAY = ['database_unavailable', 'overloaded', 'storage_unavailable'];

let sites = 0;

interface Sent {
  readonly upload: UploadRecord;
  readonly bytes: Buffer;
}

export interface FailoverResult {
  readonly files: number;
  readonly lostEvents: number;
  /** Acknowledged in the last commits, and asked for again. */
  readonly partsAgain: number;
}

export class FailoverSite {
  readonly #database: Replicated;
  readonly #servers: readonly OwnServer[];
  readonly #folder: string;
  readonly #partSizeBytes: number;
  readonly #random: Random;
  #names = 0;
  #turn = 0;
  #partsAgain = 0;
  /** Whether the bytes of a file are in the storage, with or without a record. */
  readonly #hasBytes: (file: FileRecord) => Promise<boolean>;
  /** What is published behind the failover: the events that take the place of those that were lost. */
  readonly #published: string[] = [];

  private constructor(
    database: Replicated,
    servers: readonly OwnServer[],
    folder: string,
    partSizeBytes: number,
    random: Random,
    hasBytes: (file: FileRecord) => Promise<boolean>,
  ) {
    this.#hasBytes = hasBytes;
    this.#database = database;
    this.#servers = servers;
    this.#folder = folder;
    this.#partSizeBytes = partSizeBytes;
    this.#random = random;
  }

  /** @param service of the bucket; null: a shared folder. */
  static async open(service: RunningService | null, random: Random): Promise<FailoverSite> {
    const folder = mkdtempSync(join(tmpdir(), 'cryolift-failover-'));
    const database = await Replicated.open();
    const prefix = `failover-${process.pid}-${++sites}`;
    const storage: Settings = service
      ? service.settings(prefix)
      : { CRYOLIFT_STORAGE_URL: `file:${join(folder, 'storage')}` };
    const settings = {
      ...storage,
      CRYOLIFT_DATABASE_URL: database.url,
      CRYOLIFT_ACCEPT: 'dat',
      CRYOLIFT_RATE_LIMIT: '1000000',
    };
    const servers = [await startServer(settings), await startServer(settings)];
    return new FailoverSite(
      database,
      servers,
      folder,
      service ? 5 * MIB : MIB / 16,
      random,
      async ({ file_id, filename }) => {
        if (!service) return existsSync(join(folder, 'storage', 'files', file_id, filename));
        return await hasObject(service, `${prefix}/files/${file_id}/${filename}`);
      },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.discard()));
    await this.#database.stop();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** @throws AssertionError for what must not be. */
  async run(): Promise<FailoverResult> {
    const kept = await this.#publish(await this.#start('kept'));
    const [deleted, half, whole, never, cancelled] = [
      await this.#publish(await this.#start('deleted')),
      await this.#start('half', { parts: [0] }),
      await this.#start('whole', { parts: [0, 1] }),
      await this.#start('never', { parts: [] }),
      await this.#start('cancelled', { parts: [0] }),
    ];
    const reader = await EventStream.open<UploadRecord>(this.#next(), '/events', OWNER);
    await this.#database.cutReplica();

    // All of this is acknowledged, and lost.
    await this.#put(half, 1);
    const published = await this.#publish(whole);
    await this.#put(never, 0);
    await this.#put(never, 1);
    const first = await this.#publish(never);
    await this.#ask('DELETE', `/files/${deleted.file_id}`, {}, [204]);
    await this.#ask('DELETE', `/uploads/${cancelled.upload.upload_id}`, {}, [204]);
    const lostOpen = await this.#start('lost-open', { parts: [0] });
    const lostFile = await this.#publish(await this.#start('lost-file'));
    for (let nth = 0; nth < LOST_CHANGES; nth++) {
      const { upload } = await this.#start(`lost-${nth}`, { parts: [] });
      await this.#ask('DELETE', `/uploads/${upload.upload_id}`, {}, [204]);
    }
    const lastSeen = await this.#readAll(reader);
    const cursor = reader.lastId;
    await this.#database.failOver();

    const [row] = await query<{ last: number }>(
      this.#database.url,
      'select coalesce(max(seq), 0)::int as last from events',
    );
    const lostEvents = Number(cursor) - (row?.last ?? 0);
    assert.ok(lostEvents > 32 && lastSeen > 0, `only ${lostEvents} numbers of events were lost`);

    await this.#read(kept, 'kept');
    await this.#assertGone(lostOpen.upload, lostFile);
    // What the client still has, it sends again.
    await this.#finish(half, [1]);
    await this.#finish(whole, null, published);
    // Its owner has changed the file meanwhile: other bytes under the same upload.
    const changed = { ...never, bytes: makeContent(`changed-${this.#names++}.dat`, never.bytes.length) };
    await this.#finish(changed, [0, 1]);
    await this.#finish({ ...cancelled }, null);
    await this.#readDeleted(deleted);
    for (const { bytes } of [lostOpen]) await this.#publish(await this.#start('again', { bytes }));
    await this.#sweep();
    assert.ok(await this.#hasBytes(lostFile), 'bytes without a record are kept for an administrator');
    await this.#read(kept, 'kept');
    assert.equal(first.size, changed.bytes.length);
    await this.#followOn(reader, cursor);
    return { files: await this.#compareList(), lostEvents, partsAgain: this.#partsAgain };
  }

  /** @param parts that are sent; without it, all. */
  async #start(name: string, { parts, bytes: given }: { parts?: number[]; bytes?: Buffer } = {}): Promise<Sent> {
    const filename = `${name}-${this.#names++}.dat`;
    const bytes = given ?? makeContent(filename, this.#partSizeBytes + 1000 + this.#random.whole(0, 500));
    const json = { filename, size: bytes.length, part_size: this.#partSizeBytes };
    const upload = (await this.#ask('POST', '/uploads/init', { json }, [201])).json<UploadRecord>();
    const sent = { upload, bytes };
    for (const idx of parts ?? [0, 1]) await this.#put(sent, idx);
    return sent;
  }

  async #put({ upload, bytes }: Sent, idx: number): Promise<void> {
    const body = cutPart(bytes, upload, idx);
    const headers = { 'content-digest': digestHeader(body) };
    await this.#ask('PUT', partPath(upload, idx), { body, headers }, [200, 201]);
  }

  /** Declares the digest in half of all cases. */
  async #publish(sent: Sent): Promise<FileRecord> {
    const declared = this.#random.chance(0.5) ? { json: { sha256: sha256Hex(sent.bytes) } } : {};
    const path = `/uploads/${sent.upload.upload_id}/complete`;
    for (;;) {
      const answer = await this.#ask('POST', path, declared, [200, 202, 409]);
      if (answer.status === 202) continue;
      if (answer.status === 200) return answer.json<FileRecord>();
      const { code, details } = answer.json<{ code: string; details: { missing_parts: [number, number][] } }>();
      assert.equal(code, 'upload_incomplete');
      for (const idx of eachPart(details.missing_parts)) {
        this.#partsAgain++;
        await this.#put(sent, idx);
      }
    }
  }

  /** @param missing that the upload says; null: what it finds out at complete. @param lost the record of a file that was lost. */
  async #finish(sent: Sent, missing: number[] | null, lost?: FileRecord): Promise<void> {
    const { upload_id } = sent.upload;
    const now = (await this.#ask('GET', `/uploads/${upload_id}`, {}, [200])).json<UploadRecord>();
    assert.ok(['pending', 'uploading'].includes(now.status), `${upload_id} is ${now.status}`);
    if (missing) {
      assert.deepEqual([...eachPart(now.missing_parts as [number, number][])], missing);
      for (const idx of missing) await this.#put(sent, idx);
    }
    const record = await this.#publish(sent);
    this.#published.push(upload_id);
    await this.#read(record, sent.upload.filename, sent.bytes);
    if (lost && lost.file_id !== record.file_id) await this.#ask('GET', `/files/${lost.file_id}`, {}, [404]);
  }

  async #assertGone(upload: UploadRecord, file: FileRecord): Promise<void> {
    for (const path of [`/uploads/${upload.upload_id}`, `/files/${file.file_id}`, `/files/${file.file_id}/content`]) {
      await this.#ask('GET', path, {}, [404]);
    }
    await this.#ask('PUT', partPath(upload, 1), { body: Buffer.alloc(1), headers: {} }, [404]);
  }

  /** Its record is back, its bytes are not: that is said, and it can be deleted again. */
  async #readDeleted({ file_id }: FileRecord): Promise<void> {
    const answer = await this.#ask('GET', `/files/${file_id}/content`, {}, [503]);
    assert.equal(answer.json<{ code: string }>().code, 'storage_unavailable');
    await this.#ask('DELETE', `/files/${file_id}`, {}, [204]);
  }

  /** Any server has the file, and a digest that is known is that of its bytes. */
  async #read({ file_id, sha256 }: FileRecord, name: string, bytes?: Buffer): Promise<void> {
    const answer = await this.#ask('GET', `/files/${file_id}/content`, {}, [200]);
    const found = sha256Hex(answer.body);
    if (bytes) assert.equal(found, sha256Hex(bytes), `${name} has other bytes`);
    if (sha256) assert.equal(found, sha256, `${name} has another digest`);
  }

  async #sweep(): Promise<void> {
    for (const server of this.#servers) {
      const call = callAs(server, { sub: 'root', scope: 'admin' });
      const answer = await call('POST', '/admin/sweep');
      assert.equal(answer.status, 200, answer.body.toString());
      assert.ok(!Object.values(answer.json<object>()).includes(null), answer.body.toString());
    }
  }

  /** What is listed can be read, and its digest comes to be that of its bytes. */
  async #compareList(): Promise<number> {
    const { items } = (await this.#ask('GET', '/files?limit=200', {}, [200])).json<FilePage>();
    for (const item of items) {
      const endMs = performance.now() + PATIENCE_MS;
      for (let record = item; ; await sleep(AGAIN_MS)) {
        record = (await this.#ask('GET', `/files/${item.file_id}`, {}, [200])).json<FileRecord>();
        if (record.sha256) {
          await this.#read(record, record.filename);
          break;
        }
        assert.ok(performance.now() < endMs, `${item.filename} got no digest`);
      }
    }
    return items.length;
  }

  /** The reader that was there, one that comes back, and one that comes back late, miss nothing of what follows. */
  async #followOn(open: EventStream<UploadRecord>, cursor: string): Promise<void> {
    const expected = this.#published.map((id) => `uploads/${id} cryolift.upload.completed`);
    for (let nth = 0; nth < NEW_CHANGES; nth++) {
      const { upload } = await this.#start(`new-${nth}`, { parts: [] });
      await this.#ask('DELETE', `/uploads/${upload.upload_id}`, {}, [204]);
      expected.push(`uploads/${upload.upload_id} cryolift.upload.cancelled`);
    }
    const late = await EventStream.open<UploadRecord>(this.#next(), '/events', OWNER, cursor);
    for (const [who, stream] of [
      ['late', late],
      ['open', open],
    ] as const) {
      const missing = new Set(expected);
      while (missing.size > 0) {
        const event = await stream.next().catch(() => null);
        // The stream may have ended with the database: its reader comes back with what it has read last.
        if (!event && who === 'open') return await this.#comeBack(open.lastId, missing);
        assert.ok(event, `the ${who} reader has missed ${missing.size} events`);
        missing.delete(`${event.subject} ${event.type}`);
      }
      stream.close();
    }
  }

  async #comeBack(lastId: string, missing: Set<string>): Promise<void> {
    const stream = await EventStream.open<UploadRecord>(this.#next(), '/events', OWNER, lastId);
    while (missing.size > 0) {
      const event = await stream.next();
      assert.ok(event, `${missing.size} events are missing`);
      missing.delete(`${event.subject} ${event.type}`);
    }
    stream.close();
  }

  /** Reads until nothing comes. @returns how many. */
  async #readAll(reader: EventStream<UploadRecord>): Promise<number> {
    const mark = await this.#start('mark', { parts: [] });
    const events = await reader.until(({ subject }) => subject === `uploads/${mark.upload.upload_id}`);
    return events.length;
  }

  /** Asks the servers in turn until one of these statuses comes. */
  async #ask(method: string, path: string, extra: Extra, expected: readonly number[]): Promise<Answer> {
    for (const endMs = performance.now() + PATIENCE_MS; ; await sleep(AGAIN_MS)) {
      const call: Call = callAs(this.#next(), { ...OWNER });
      const answer = await call(method, path, extra);
      if (expected.includes(answer.status)) return answer;
      const code = answer.headers['content-type']?.includes('json') ? answer.json<{ code: string }>().code : '';
      const isAway = AWAY.includes(code) && performance.now() < endMs;
      assert.ok(isAway, `${method} ${path} answered ${answer.status} ${answer.body.toString().slice(0, 300)}`);
    }
  }

  #next(): OwnServer {
    return this.#servers[this.#turn++ % this.#servers.length] as OwnServer;
  }
}

async function hasObject(service: RunningService, key: string): Promise<boolean> {
  const bucket = new Bucket({ ...service, prefix: '', pathStyle: true });
  try {
    return (await bucket.head(key)) !== null;
  } finally {
    bucket.close();
  }
}
