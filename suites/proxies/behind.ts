/** What has to hold behind every proxy whose configuration we offer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, InformationEvent } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type { FilePage, FileRecord, UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { EventStream } from '../contract/event-stream.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { complete, cutPart, eventually, open, openSample, partPath, put } from '../contract/upload.ts';
import { type Call, callWith } from '../contract/wire.ts';
import { bring, type Engine } from './engine.ts';
import { refuse } from './refusal.ts';
import { Site } from './site.ts';

const MIB = 1024 * 1024;
const FILE_BYTES = 64 * MIB;
/** How often in a row a proxy that does not linger may cut the connection before its answer was read. */
const MAX_CUTS = 10;
/** A reset is a matter of luck: often enough to have some. */
const REPEATS = 10;

/** Registers the tests; they are skipped, with the reason, where the engine cannot be had. */
export function testBehind(engine: Engine): void {
  const missing = bring(engine);
  const behind = (what: string, act: () => Promise<void>) => {
    test(`behind ${engine.name}: ${what}`, { skip: missing ?? false }, act);
  };
  let site: Site;
  before(async () => {
    if (missing === null) site = await Site.start(engine);
  });
  after(() => site?.discard());
  const callAs = (sub: string): Call => {
    return callWith(site, { authorization: `Bearer ${site.token({ sub })}`, host: new URL(site.url).host });
  };

  behind('a file in one request, by a client that can resume it where 104 arrives', async () => {
    const bytes = makeMrc(3 * MIB);
    const headers = {
      authorization: `Bearer ${site.token({ sub: 'resumable' })}`,
      'content-length': String(bytes.length),
      'upload-complete': '?1',
      'upload-draft-interop-version': '8',
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const request = httpsRequest(`${site.url}/resumable/movie.mrc`, { method: 'PUT', headers, agent });
    const interim: InformationEvent[] = [];
    request.on('information', (each: InformationEvent) => interim.push(each)).end(bytes);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const file = (await json(response)) as FileRecord;
    assert.equal(response.statusCode, 201);
    assert.equal(file.sha256, sha256Hex(bytes));
    const supported = interim.filter(({ statusCode }) => statusCode === 104);
    assert.equal(supported[0]?.headers.location, engine.passesInterim ? response.headers.location : undefined);
    const next = httpsRequest(`${site.url}/limits`, { agent }).end();
    const [limits] = (await once(next, 'response')) as [IncomingMessage];
    assert.equal(limits.resume().statusCode, 200, 'the connection is of use');
    agent.destroy();
  });

  behind('64 MiB in parallel parts, killed in the middle, resumed, with the right digest', async () => {
    const sub = 'uploads';
    const call = callAs(sub);
    const bytes = makeMrc(FILE_BYTES);
    const path = join(site.folder, 'movie.mrc');
    await writeFile(path, bytes);
    const upload = ['upload', '--json', path];
    const first = site.begin([...upload, '--bwlimit', '8MiB'], sub);
    const isUnderWay = (upload: UploadRecord | undefined) => (upload?.received_parts ?? 0) >= 4;
    await eventually(async () => (await call('GET', '/uploads')).json<UploadPage>().items[0], isUnderWay);
    await first.kill9();
    const done = (await site.begin(upload, sub).lines(0)).at(-1);
    assert.equal(done?.sha256, sha256Hex(bytes));
    assert.ok(Number(done?.resumed_bytes) >= 4 * MIB, JSON.stringify(done));

    const [file] = (await call('GET', '/files')).json<FilePage>().items;
    const headers = { authorization: `Bearer ${site.token({ sub })}` };
    const content = await fetch(`${site.url}/files/${file?.file_id}/content`, { headers });
    assert.ok(Buffer.from(await content.arrayBuffer()).equals(bytes));
    const range = await call('GET', `/files/${file?.file_id}/content`, { headers: { range: 'bytes=1000000-1999999' } });
    assert.equal(range.status, 206);
    assert.ok(range.body.equals(bytes.subarray(1_000_000, 2_000_000)));
  });

  behind('a refusal before the end of a body is what it is, never a 502', async () => {
    const sub = 'refused';
    const authorization = `Bearer ${site.token({ sub })}`;
    const upload = await open(callAs(sub));
    const path = partPath(upload, 0);
    for (let time = 0; time < REPEATS; time++) {
      const refused = async (headers: Record<string, string>, to = path) => {
        for (let cuts = 0; ; cuts++) {
          try {
            return await refuse(site.url, to, headers, engine.lingers);
          } catch (error) {
            // Caddy resets the connection 500 ms after its answer. A busy machine may not have read that by then.
            if (engine.lingers || cuts === MAX_CUTS || !/EPIPE|ECONNRESET/.test(String(error))) throw error;
          }
        }
      };
      assertFailure(await refused({}), 'unauthenticated');
      assertFailure(await refused({ authorization: `${authorization}x` }), 'unauthenticated');
      assertFailure(await refused({ authorization }), 'part_too_large');
      assertFailure(await refused({ authorization, expect: '100-continue' }), 'part_too_large');
      assertFailure(await refused({ authorization, connection: 'close' }), 'part_too_large');
      assertFailure(await refused({ authorization }, partPath({ upload_id: 'none' }, 0)), 'upload_not_found');
    }
  });

  behind('events come one by one, while the stream is open', async () => {
    const sub = 'listens';
    const call = callAs(sub);
    const { upload, bytes } = await openSample(call);
    const one = await EventStream.open<UploadRecord>(site, `/uploads/${upload.upload_id}/events`, { sub });
    const all = await EventStream.open<UploadRecord>(site, '/events', { sub });
    for (let idx = 0; idx < upload.part_count; idx++) {
      assert.equal((await put(call, upload, idx, bytes)).status, 201);
      await one.until(({ data }) => data.received_parts === idx + 1);
    }
    assert.equal((await complete(call, upload)).status, 200);
    await one.until(({ data }) => data.status === 'completed');
    await all.until(({ type }) => type === 'cryolift.upload.completed');
    assert.equal(await one.next(), null, 'the end of the stream comes through, too');
    all.close();
  });

  behind('the server knows the name and the scheme of the client, and ignores forged headers', async () => {
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '192.0.2.1',
    };
    const call = callAs('forges');
    const { headers } = await call('GET', '/limits', { headers: forged });
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    const { upload, bytes } = await openSample(call);
    const signed = await call('POST', `/uploads/${upload.upload_id}/sign`, {
      json: { parts: [[0, 0]], expires_in: 60 },
      headers: forged,
    });
    const [{ url }] = signed.json<{ urls: [{ url: string }] }>().urls;
    assert.ok(url.startsWith(`${site.url}${partPath(upload, 0)}?`), url);
    const stored = await fetch(url, { method: 'PUT', body: Uint8Array.from(cutPart(bytes, upload, 0)) });
    assert.equal(stored.status, 201);
  });

  behind('doctor finds no problem', async () => {
    const findings = await site.begin(['doctor', '--json', '--slow', '3s'], 'examined').lines(0);
    const troubles = findings.filter(({ outcome, check }) => outcome !== 'ok' && check !== 'certificate');
    assert.deepEqual(troubles, []);
    assert.ok(findings.some(({ check }) => check === 'long_request'));
  });
}
