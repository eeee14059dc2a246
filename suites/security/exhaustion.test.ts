/** Requests that try to take the memory, the time or the places of all others. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EventStream } from '../contract/event-stream.ts';
import { assertFailure } from '../contract/failure.ts';
import { eventually, initRequest, openSample, publish } from '../contract/upload.ts';
import { Connection, callAs, callWith, printHead } from '../contract/wire.ts';
import { type Operation, readOperations, type Schema } from '../fuzz/document.ts';
import { startServer } from '../server-under-test.ts';

const MIB = 1024 * 1024;
/** Above what the garbage collector leaves uncollected for a while. Without the bounds it was more than a GiB. */
const MAX_GROWTH_BYTES = 256 * MIB;
/** Limit of CPU time of the server for four such requests. Without the limits it was 24 s and more. */
const MAX_CPU_SECONDS = 10;

const server = await startServer({
  CRYOLIFT_ACCEPT: 'bin',
  CRYOLIFT_METRICS: 'true',
  CRYOLIFT_BODY_IDLE_TIMEOUT: '2s',
  CRYOLIFT_CONNECTIONS_PER_ADDRESS: '5000',
});
after(() => server.discard());
const anonymous = callWith(server, {});
const ada = callAs(server, { sub: 'ada' });

async function readGauge(name: string): Promise<number> {
  const text = (await anonymous('GET', '/metrics')).body.toString();
  const value = Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  assert.ok(value >= 0, `${name} is not among the metrics`);
  return value;
}

const residentBytes = () => readGauge('process_resident_memory_bytes');

async function assertCheap(work: () => Promise<void>): Promise<void> {
  const before = await readGauge('process_cpu_seconds_total');
  await work();
  const seconds = (await readGauge('process_cpu_seconds_total')) - before;
  assert.ok(seconds <= MAX_CPU_SECONDS, `${seconds} s of CPU time`);
}

/** A connection of a client that reads nothing. */
function openUnread(context: TestContext): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname).pause();
  context.after(() => socket.destroy());
  socket.on('error', () => {});
  return socket;
}

async function isClosed(socket: Socket): Promise<void> {
  // Earlier bytes must be read before the end.
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

test('pipelined requests: answers that are not read take no memory, and the connection is closed', async (context) => {
  const before = await residentBytes();
  const sockets = Array.from({ length: 6 }, () => openUnread(context));
  const head = printHead('GET', '/openapi.json');
  for (const socket of sockets) socket.write(head.repeat(Math.ceil(240_000 / head.length)));
  await Promise.all(sockets.map(isClosed));
  const growth = (await residentBytes()) - before;
  assert.ok(growth < MAX_GROWTH_BYTES, `${Math.round(growth / MIB)} MiB more`);
  assert.equal((await anonymous('GET', '/healthz')).status, 200);
});

test('pipelined requests: a few of any kind are answered in order', async () => {
  const connection = await Connection.open(server.url);
  const { upload, bytes } = await openSample(ada);
  const token = { authorization: `Bearer ${server.token({ sub: 'ada' })}` };
  const length = String(bytes.length > upload.part_size ? upload.part_size : bytes.length);
  connection.send(printHead('GET', '/healthz'));
  connection.send(printHead('GET', `/uploads/${upload.upload_id}`, token));
  connection.send(printHead('PUT', `/uploads/${upload.upload_id}/part/0`, { ...token, 'content-length': length }));
  connection.send(bytes.subarray(0, Number(length)));
  connection.send(printHead('GET', '/nowhere'));
  const answers = [];
  for (let at = 0; at < 4; at++) answers.push((await connection.answer()).status);
  assert.deepEqual(answers, [200, 200, 201, 404]);
  connection.close();
});

test('exhaustion: an answer that nobody takes is given up; a stream that is read stays open', async (context) => {
  const { upload } = await openSample(ada);
  const events = await EventStream.open(server, `/uploads/${upload.upload_id}/events`, { sub: 'ada' });
  assert.equal((await events.next())?.name, 'state');
  // More than the buffers of the system take.
  const file = await publish(ada, Buffer.alloc(32 * MIB, 7), { filename: 'a.bin', part_size: 8 * MIB });
  const unread = openUnread(context);
  const authorization = `Bearer ${server.token({ sub: 'ada' })}`;
  unread.write(printHead('GET', `/files/${file.file_id}/content`, { authorization }));
  // Five times the time-out. From here only the server can see that it has passed.
  await setTimeout(10_000);
  await isClosed(unread);
  assert.ok(unread.bytesRead < file.size, 'the server went on sending');
  await ada('DELETE', `/uploads/${upload.upload_id}`);
  assert.match((await events.next())?.type ?? '', /cancelled/);
});

/** The status of an answer of which nothing else is read. */
async function statusOf(socket: Socket): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  socket.once('data', (head: Buffer) => {
    socket.pause();
    resolve(Number(/^HTTP\/1\.1 (\d{3}) /.exec(head.toString('latin1'))?.[1]));
  });
  socket.once('close', () => resolve(0));
  socket.resume();
  return await promise;
}

// Invariant 9
test('exhaustion: unread downloads and event streams: bounded for an owner and over all, and others are answered', async (context) => {
  const patient = await startServer({ CRYOLIFT_ACCEPT: 'bin', CRYOLIFT_CONNECTIONS_PER_ADDRESS: '5000' });
  context.after(() => patient.discard());
  const readMemory = async () =>
    Number(
      /^process_resident_memory_bytes (\S+)$/m.exec(
        (await callWith(patient, {})('GET', '/metrics')).body.toString(),
      )?.[1],
    );
  const { hostname, port } = new URL(patient.url);
  const ask = (sub: string, path: string): Socket => {
    const socket = connect(Number(port), hostname).pause();
    context.after(() => socket.destroy());
    socket.on('error', () => {});
    socket.write(printHead('GET', path, { authorization: `Bearer ${patient.token({ sub })}` }));
    return socket;
  };
  const askAll = async (count: number, subOf: (at: number) => string, path: string) => {
    const sockets = Array.from({ length: count }, (_, at) => ask(subOf(at), path));
    return { sockets, statuses: await Promise.all(sockets.map(statusOf)) };
  };
  const count = (statuses: number[], status: number) => statuses.filter((each) => each === status).length;

  const size = 16 * MIB;
  const upload = { filename: 'a.bin', part_size: 8 * MIB };
  const eves = await publish(callAs(patient, { sub: 'eve' }), Buffer.alloc(size, 7), upload);
  const adas = await publish(callAs(patient, { sub: 'ada' }), Buffer.alloc(size, 8), upload);
  const before = await readMemory();
  const downloads = await askAll(400, () => 'eve', `/files/${eves.file_id}/content`);
  // 32 MiB of one owner, 128 KiB of each.
  assert.ok(count(downloads.statuses, 200) <= 256, `${count(downloads.statuses, 200)} downloads`);
  assert.equal(count(downloads.statuses, 200) + count(downloads.statuses, 503), 400);
  const growth = (await readMemory()) - before;
  assert.ok(growth < MAX_GROWTH_BYTES, `${Math.round(growth / MIB)} MiB more`);
  const answer = await callAs(patient, { sub: 'ada' })('GET', `/files/${adas.file_id}/content`);
  assert.equal(answer.body.length, size);
  for (const socket of downloads.sockets) socket.destroy();
  await eventually(
    () => callAs(patient, { sub: 'eve' })('GET', `/files/${eves.file_id}/content`),
    ({ status }) => status === 200,
  );

  // 128 MiB over all: 1,024 streams, of which one owner may have 32.
  const streams = await askAll(1_100, (at) => `owner ${at % 40}`, '/events');
  assert.ok(count(streams.statuses, 200) <= 1_024, `${count(streams.statuses, 200)} streams`);
  assert.equal(count(streams.statuses, 200) + count(streams.statuses, 503), 1_100);
  assert.equal((await callAs(patient, { sub: 'ada' })('GET', '/files')).status, 200);
});

test('exhaustion: slow JSON bodies of one caller take no places: others are answered', async () => {
  const head = printHead('POST', '/uploads/init', {
    authorization: `Bearer ${server.token({ sub: 'eve' })}`,
    'content-type': 'application/json',
    'content-length': '100',
  });
  const slow = await Promise.all(
    Array.from({ length: 1_200 }, async () => {
      const connection = await Connection.open(server.url);
      connection.send(`${head}{`);
      return connection;
    }),
  );
  for (let at = 0; at < 5; at++) assert.equal((await ada('GET', '/uploads')).status, 200);
  for (const connection of slow) connection.close();
});

test('exhaustion: a path that does not exist: its body is neither waited for nor kept', async () => {
  const json = { 'content-type': 'application/json' };
  for (const length of [{ 'content-length': String(MIB) }, { 'transfer-encoding': 'chunked' }] as const) {
    const connection = await Connection.open(server.url);
    connection.send(printHead('POST', '/nowhere', { ...json, ...length }));
    assertFailure(await connection.answer('POST'), 'not_found');
    connection.close();
  }
});

test('exhaustion: JSON bodies that do not come: bounded in bytes for one caller, and others are answered', async () => {
  const head = printHead('POST', '/uploads/init', {
    authorization: `Bearer ${server.token({ sub: 'eve' })}`,
    'content-type': 'application/json',
    'content-length': String(MIB),
  });
  const connections = await Promise.all(
    Array.from({ length: 17 }, async () => {
      const connection = await Connection.open(server.url);
      connection.send(head);
      return connection;
    }),
  );
  // 16 MiB of one owner.
  assertFailure(await Promise.race(connections.map((connection) => connection.answer('POST'))), 'overloaded');
  const large = { ...initRequest(), metadata: { text: 'x'.repeat(3_000) }, header: 'A'.repeat(64 * 1024) };
  assertFailure(await ada('POST', '/uploads/init', { json: large }), 'invalid_mrc');
  for (const connection of connections) connection.close();
});

test('exhaustion: refused requests whose answers are not read take no places', async (context) => {
  const head = printHead('GET', '/uploads', { authorization: 'Bearer x.y.z' });
  for (let at = 0; at < 8; at++) openUnread(context).write(head.repeat(20_000));
  assert.equal((await ada('GET', '/uploads')).status, 200);
});

/** Texts on which careless code is slow: many combining marks, padding that is no end, white space, nested brackets. */
const SLOW_TEXTS = [`a${'\u0301\u0327'.repeat(200_000)}`, `${'='.repeat(128 * 1024 - 1)}a`, `x${' '.repeat(300_000)}y`];

test('init: texts that are slow to process are refused at once', async () => {
  for (const text of SLOW_TEXTS) {
    for (const field of ['filename', 'header', 'fingerprint', 'sha256'] as const) {
      await assertCheap(async () => {
        const requests = Array.from({ length: 4 }, () =>
          ada('POST', '/uploads/init', { json: { ...initRequest(), [field]: text } }),
        );
        for (const answer of await Promise.all(requests)) {
          assertFailure(answer, field === 'filename' ? 'invalid_filename' : 'invalid_request');
        }
      });
    }
    const metadata = { [text]: text };
    await assertCheap(async () => {
      assertFailure(await ada('POST', '/uploads/init', { json: { ...initRequest(), metadata } }), 'invalid_request');
    });
  }
});

test('headers: values that are slow to process do not hold up others', async () => {
  const { upload } = await openSample(ada);
  const value = `x${' '.repeat(14_000)}y`;
  for (const name of ['content-digest', 'range', 'if-none-match', 'idempotency-key', 'upload-offset', 'traceparent']) {
    await assertCheap(async () => {
      const requests = Array.from({ length: 150 }, () =>
        ada('PUT', `/uploads/${upload.upload_id}/part/0`, { headers: { [name]: value }, body: 'x' }),
      );
      await Promise.all(requests);
    });
  }
});

test('schemas: every text of every request is bounded', async () => {
  const unbounded: string[] = [];
  for (const operation of await readOperations(server.url)) {
    for (const [name, schema] of requestSchemas(operation)) {
      for (const path of findUnbounded(schema, name)) unbounded.push(`${operation.method} ${operation.path} ${path}`);
    }
  }
  assert.deepEqual(unbounded, []);
});

function requestSchemas({ parameters = [], requestBody }: Operation): [string, Schema][] {
  const bodies = Object.entries(requestBody?.content ?? {}).filter(([type]) => type === 'application/json');
  return [
    ...parameters.map(({ name, schema }) => [name, schema] as [string, Schema]),
    ...bodies.map(([, { schema }]) => ['body', schema] as [string, Schema]),
  ];
}

function findUnbounded(schema: Schema, path: string): string[] {
  if (schema.enum || schema.const !== undefined) return [];
  if (schema.anyOf) return schema.anyOf.flatMap((each) => findUnbounded(each, path));
  const { properties = {}, additionalProperties: others, items } = schema;
  const inner = Object.entries(properties).flatMap(([name, each]) => findUnbounded(each, `${path}.${name}`));
  if (typeof others === 'object') {
    if (schema.propertyNames?.maxLength === undefined) inner.push(`${path}: its keys`);
    inner.push(...findUnbounded(others, `${path}.*`));
  }
  if (items) inner.push(...findUnbounded(items, `${path}[]`));
  if (schema.type === 'string' && schema.maxLength === undefined) inner.push(path);
  return inner;
}
