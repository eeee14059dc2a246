/** Traces: what a collector gets of an upload, and what a collector that is down costs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { makeMrc } from '../contract/sample.ts';
import { callAs, callUnchecked } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

/** Spans have microseconds. */
const BEGAN_MS = Date.now() - 1;

const folder = mkdtempSync(join(tmpdir(), 'cryolift-traces-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string; intValue?: string } }[];
}

interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** A collector, as far as traces over HTTP go. */
async function startCollector(status = 200) {
  const spans: Span[] = [];
  const server = createServer(async (request, response) => {
    assert.equal(request.headers['content-type'], 'application/json');
    const { resourceSpans } = (await json(request)) as Export;
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.writeHead(status).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  return { spans, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces` };
}

test('traces: an upload is one trace, from init to publish; every span is of its request and took its time', async () => {
  const { spans, url } = await startCollector();
  const server = await startServer({ CRYOLIFT_OTLP_URL: url });
  const path = join(folder, 'movie.mrc');
  writeFileSync(path, makeMrc(300_000));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    CRYOLIFT_SERVER: server.url,
    CRYOLIFT_TOKEN: server.token(),
  };
  await promisify(execFile)(process.execPath, [BIN, 'upload', path, '--part-size', '64KiB'], { env });
  // A stop sends what waits.
  assert.equal(await server.stop(), 0);
  await server.discard();
  const traceId = spans.find(({ name }) => name === 'POST /uploads/init')?.traceId;
  assert.match(traceId ?? '', /^[0-9a-f]{32}$/);
  const ofUpload = spans.filter((span) => span.traceId === traceId);
  const count = (name: string) => ofUpload.filter((span) => span.name === name).length;
  assert.equal(count('PUT /uploads/:upload_id/part/:idx'), 5);
  assert.equal(count('POST /uploads/:upload_id/complete'), 1);
  assert.equal(new Set(ofUpload.map(({ parentSpanId }) => parentSpanId)).size, 1, 'one client above all of them');
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  for (const { startTimeUnixNano, endTimeUnixNano, attributes } of ofUpload) {
    assert.ok(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));
    const startMs = Number(startTimeUnixNano) / 1e6;
    assert.ok(BEGAN_MS <= startMs && startMs <= Date.now());
    const status = attributes.find(({ key }) => key === 'http.response.status_code')?.value.intValue;
    assert.match(status ?? '', /^20[01]$/);
  }
});

test('traces: a trace that comes with a request is gone on with; a malformed one is not; refusals have their code', async () => {
  const { spans, url } = await startCollector();
  const server = await startServer({ CRYOLIFT_OTLP_URL: url });
  // Every span is counted.
  const call = callUnchecked(server, { authorization: `Bearer ${server.token()}` });
  const known = '0af7651916cd43dd8448eb211c80319c';
  const ask = (traceparent: string) => call('GET', '/files/none', { headers: { traceparent } });
  await ask(`00-${known}-b7ad6b7169203331-01`);
  const malformed = [
    'x',
    `00-${known}-b7ad6b7169203331`,
    `ff-${known}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  ];
  for (const each of malformed) await ask(each);
  await server.stop();
  await server.discard();
  assert.equal(spans.length, 5);
  const [first, ...others] = spans;
  assert.deepEqual([first?.traceId, first?.parentSpanId], [known, 'b7ad6b7169203331']);
  assert.ok(others.every(({ traceId, parentSpanId }) => traceId !== known && parentSpanId === undefined));
  assert.equal(first?.attributes.find(({ key }) => key === 'error.type')?.value.stringValue, 'file_not_found');
});

test('traces: a collector that is down, or refuses, costs spans and nothing else', async () => {
  const refusing = await startCollector(500);
  for (const url of ['http://127.0.0.1:1/v1/traces', refusing.url]) {
    const server = await startServer({ CRYOLIFT_OTLP_URL: url });
    const answers = await Promise.all(Array.from({ length: 50 }, () => callAs(server)('GET', '/uploads')));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(await server.stop(), 0);
    assert.match(server.stderr, /spans could not be sent, and are lost/);
    await server.discard();
  }
});
