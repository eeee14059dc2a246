/** A server with everything that a migration has to move, and `cryolift migrate` as a process. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import type { FilePage, FileRecord, FileTree, UploadRecord } from '@cryolift/protocol/messages';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { EventStream } from '../contract/event-stream.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually, open, publish, put, readUploadRecord } from '../contract/upload.ts';
import { type Call, callAs, callWith } from '../contract/wire.ts';
import type { Settings, Target } from '../server-under-test.ts';

const MIB = 1024 * 1024;
const PART_BYTES = 5 * MIB;
const CLAIMS = { sub: 'ada', scope: 'uploads:write files:read files:delete admin' };

export interface Content {
  readonly files: readonly { readonly record: FileRecord; readonly bytes: Buffer }[];
  /** Two of its three parts are stored. */
  readonly upload: UploadRecord;
  readonly uploadBytes: Buffer;
  /** Without a token: path and query. */
  readonly signedPath: string;
  readonly linkToken: string;
  /** Of the upload under way. */
  readonly lastEventId: string;
}

/** A published file of `sizeBytes`, others of one part and of none, an upload under way, a link, a signed URL, events. */
export async function fill(server: Target, sizeBytes = 3 * MIB): Promise<Content> {
  const call = callAs(server, CLAIMS);
  const files = [];
  for (const [at, bytes] of [makeMrc(sizeBytes), makeMrc(3000), Buffer.alloc(0)].entries()) {
    const metadata = { path: `session/grid-${at}/movie.mrc` };
    const fields = bytes.length === 0 ? { filename: 'empty.mrc', force: true } : { sha256: sha256Hex(bytes) };
    files.push({ bytes, record: await publish(call, bytes, { ...fields, metadata }) });
  }
  const { upload, uploadBytes } = await openPartly(call);
  const signed = await call('POST', `/files/${files[0]?.record.file_id}/sign`);
  assert.equal(signed.status, 200, signed.body.toString());
  const { pathname, search } = new URL(signed.json<{ url: string }>().url);
  const link = await call('POST', '/links');
  assert.equal(link.status, 201, link.body.toString());
  const linkToken = link.json<{ token: string }>().token;
  return {
    files,
    upload,
    uploadBytes,
    signedPath: pathname + search,
    linkToken,
    lastEventId: await findEvent(server, upload, '0'),
  };
}

export async function openPartly(call: Call): Promise<{ upload: UploadRecord; uploadBytes: Buffer }> {
  const uploadBytes = makeMrc(2 * PART_BYTES + 1500);
  const upload = await open(call, { size: uploadBytes.length, part_size: PART_BYTES });
  for (const idx of [2, 0]) assert.equal((await put(call, upload, idx, uploadBytes)).status, 201);
  return { upload, uploadBytes };
}

/** @returns the number of the first event of an upload, or of its end. */
async function findEvent(server: Target, { upload_id }: UploadRecord, lastId: string, type?: string): Promise<string> {
  const stream = await EventStream.open<UploadRecord>(server, '/events', CLAIMS, lastId);
  const events = await stream.until(
    (event) => event.subject === `uploads/${upload_id}` && (type === undefined || event.type === type),
  );
  stream.close();
  return events.at(-1)?.seq ?? '';
}

/** Everything that was there is there, and the upload can be finished with its missing parts. */
export async function assertMoved(server: Target, content: Content, missing: [number, number][]): Promise<FileRecord> {
  const call = callAs(server, CLAIMS);
  for (const { record, bytes } of content.files) await assertFile(call, record, bytes);
  await assertLibrary(call, content);
  const signed = await callWith(server, {})('GET', content.signedPath);
  assert.deepEqual([signed.status, sha256Hex(signed.body)], [200, sha256Hex(content.files[0]?.bytes as Buffer)]);
  const byLink = callWith(server, { authorization: `Bearer ${content.linkToken}` });
  await open(byLink, { filename: 'by-link.mrc' });
  const file = await finish(call, content, missing);
  // A number that comes again, or a lower one, is never delivered.
  await findEvent(server, content.upload, content.lastEventId, 'cryolift.upload.completed');
  return file;
}

/** The target has made it of the files: folders with their sums, and texts that are found. Others may be there, too. */
async function assertLibrary(call: Call, content: Content): Promise<void> {
  const files = content.files.filter(({ record }) => record.metadata.path !== undefined);
  const expected = files.map(({ record }) => ({ name: folderOf(record), files: 1, bytes: record.size }));
  const tree = await eventually(
    async () => (await call('GET', '/files/tree?prefix=session')).json<FileTree>(),
    ({ incomplete }) => incomplete === undefined,
  );
  const sums = tree.items.map(({ name, files, bytes }) => ({ name, files, bytes }));
  assert.deepEqual(
    sums.filter(({ name }) => expected.some((folder) => folder.name === name)),
    expected,
  );
  for (const { record } of files) {
    const { items, total, total_is_more } = (
      await call('GET', `/files?q=SESSION%20${folderOf(record)}`)
    ).json<FilePage>();
    const ids = items.map(({ file_id }) => file_id);
    assert.deepEqual([ids, total, total_is_more], [[record.file_id], 1, false]);
  }
}

/** `grid-0` of `session/grid-0/movie.mrc`. */
function folderOf({ metadata }: FileRecord): string {
  return metadata.path?.split('/')[1] ?? assert.fail();
}

async function assertFile(call: Call, record: FileRecord, bytes: Buffer): Promise<void> {
  const content = await call('GET', `/files/${record.file_id}/content`);
  assert.deepEqual([content.status, sha256Hex(content.body)], [200, sha256Hex(bytes)], record.filename);
  const now = (await call('GET', `/files/${record.file_id}`)).json<FileRecord>();
  assert.equal(now.sha256, sha256Hex(bytes));
  assert.equal(now.created_at, record.created_at);
}

async function finish(call: Call, content: Content, missing: [number, number][]): Promise<FileRecord> {
  const { upload, uploadBytes } = content;
  const moved = await readUploadRecord(call, upload);
  assert.deepEqual([moved.status, moved.missing_parts], ['uploading', missing]);
  for (const [first, last] of missing) {
    for (let idx = first; idx <= last; idx++) assert.equal((await put(call, upload, idx, uploadBytes)).status, 201);
  }
  for (;;) {
    const sha256 = sha256Hex(uploadBytes);
    const answer = await call('POST', `/uploads/${upload.upload_id}/complete`, { json: { sha256 } });
    if (answer.status === 202) continue;
    assert.equal(answer.status, 200, answer.body.toString());
    const record = answer.json<FileRecord>();
    await assertFile(call, record, uploadBytes);
    return record;
  }
}

export interface Migrated {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The last line of `migrate --json`. */
export interface Summary {
  readonly complete: boolean;
  readonly files: number;
  readonly already_copied: number;
  readonly uploads: { upload_id: string; parts: number; lost: number }[];
  readonly refused_uploads: { upload_id: string }[];
  readonly faults: { file_id: string; fault: string }[];
  readonly settings?: Record<string, string>;
}

export function summaryOf({ stdout, stderr }: Migrated): Summary {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  assert.ok(line.includes('"summary"'), stdout + stderr);
  return JSON.parse(line) as Summary;
}

/** @param env the settings of the source. */
export function beginMigrate(
  env: Settings,
  args: readonly string[],
): { readonly child: ChildProcess; readonly ended: Promise<Migrated> } {
  const child = spawn(process.execPath, [BIN, 'migrate', '--json', ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
    // The channel ends it when this process ends in any way.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { promise, resolve } = Promise.withResolvers<Migrated>();
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  child.on('close', (code) => resolve({ code, ...said }));
  return { child, ended: promise };
}

export async function migrate(env: Settings, args: readonly string[]): Promise<Migrated> {
  return await beginMigrate(env, args).ended;
}
