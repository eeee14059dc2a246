/** The versions of the draft, as their clients speak them: URLSession sends the file in one request and resumes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MIN_PART_BYTES, startServer } from '../../server-under-test.ts';
import { makeMrc } from '../sample.ts';
import { Connection, printHead } from '../wire.ts';
import {
  assertProblem,
  assertPublished,
  type Headers,
  KEEPS_CUT_PARTS,
  PARTIAL_UPLOAD,
  pathOf,
  sendAs,
  versionHeader,
} from './client.ts';

const server = await startServer({ CRYOLIFT_PART_SIZE: `${MIN_PART_BYTES}b` });
after(() => server.discard());

const BYTES = makeMrc(3_000_000);
/** As much as the first request sends before it is cut. */
const SENT_BYTES = 1_700_000;

interface Speaker {
  readonly version: number;
  readonly complete: (isComplete: boolean) => Headers;
  readonly mediaType: Headers;
}

const ofComplete = (isComplete: boolean) => ({ 'upload-complete': isComplete ? '?1' : '?0' });
const SPEAKERS: readonly Speaker[] = [
  { version: 3, complete: (is) => ({ 'upload-incomplete': is ? '?0' : '?1' }), mediaType: {} },
  { version: 5, complete: ofComplete, mediaType: {} },
  { version: 6, complete: ofComplete, mediaType: { 'content-type': PARTIAL_UPLOAD } },
  { version: 8, complete: ofComplete, mediaType: { 'content-type': PARTIAL_UPLOAD } },
];

/** As `Upload-Complete`, whatever the version calls it. */
function isComplete({ version }: Speaker, headers: Headers): boolean {
  const [name, other] = ['upload-complete', 'upload-incomplete'];
  if (version === 3) {
    assert.equal(headers[name], undefined);
    return headers[other] === '?0';
  }
  assert.equal(headers[other], undefined);
  return headers[name] === '?1';
}

for (const speaker of SPEAKERS) {
  const { version, complete, mediaType } = speaker;

  test(`interop ${version}: the whole file in one request, cut, is resumed where it was cut`, async () => {
    const sub = `swift-${version}`;
    const send = sendAs(server, version, { sub });
    const first = await Connection.open(server.url);
    const authorization = `Bearer ${server.token({ sub })}`;
    const headers = {
      ...versionHeader(version),
      ...complete(true),
      authorization,
      'content-length': String(BYTES.length),
      'content-disposition': 'attachment; filename="movie.mrc"',
    };
    first.send(printHead('POST', '/resumable', headers));
    const supported = await first.answer('POST');
    assert.equal(supported.status, 104);
    assert.equal(supported.headers['upload-draft-interop-version'], String(version));
    const path = pathOf(supported.headers.location);
    await first.sendUnread(BYTES.subarray(0, SENT_BYTES));
    await new Promise((resolve) => setTimeout(resolve, 200));
    first.close();

    const { final: head } = await send('HEAD', path);
    assert.equal(head.status, 204);
    assert.equal(isComplete(speaker, head.headers), false);
    assert.equal(head.headers['upload-draft-interop-version'], String(version));
    const offset = Number(head.headers['upload-offset']);
    assert.ok(offset >= (KEEPS_CUT_PARTS ? 1 : 0) && offset <= SENT_BYTES, `${offset}`);

    const rest = { ...complete(true), ...mediaType, 'upload-offset': String(offset) };
    const done = await send('PATCH', path, rest, BYTES.subarray(offset));
    const { final, interim } = done;
    await assertPublished(send, done, BYTES);
    assert.equal(isComplete(speaker, final.headers), true);
    assert.equal(final.headers['upload-offset'], String(BYTES.length));
    // In a bucket the file is one part.
    assert.equal(interim.length > 0, version > 3 && KEEPS_CUT_PARTS, 'version 3 knows no progress');
    for (const { headers } of interim) assert.equal(headers.location, undefined);
  });

  test(`interop ${version}: an append that does not say whether it is the last`, async () => {
    const bytes = makeMrc(5_000);
    const send = sendAs(server, version);
    const started = await send('POST', '/resumable/a.mrc', complete(false), bytes.subarray(0, 2_000));
    assert.equal(started.final.headers['upload-offset'], '2000', 'tus-js-client needs it');
    const path = pathOf(started.final.headers.location);
    const rest = await send('PATCH', path, { ...mediaType, 'upload-offset': '2000' }, bytes.subarray(2_000));
    if (version === 8) assertProblem(rest.final, 400, 'invalid_request');
    else await assertPublished(send, rest, bytes);
  });

  test(`interop ${version}: a wrong offset, and an append to a complete upload`, async () => {
    const bytes = makeMrc(5_000);
    const send = sendAs(server, version);
    const started = await send('POST', '/resumable/a.mrc', complete(false));
    const path = pathOf(started.final.headers.location);
    const at = (offset: number) => ({ ...mediaType, ...complete(true), 'upload-offset': String(offset) });
    const wrong = await send('PATCH', path, at(7), bytes);
    assertProblem(wrong.final, 409, 'offset_mismatch', 'mismatching-upload-offset');
    assert.equal(isComplete(speaker, wrong.final.headers), false);
    assert.equal((await send('PATCH', path, at(0), bytes)).final.status, 201);
    const more = await send('PATCH', path, at(5_000), Buffer.alloc(10));
    assert.equal(isComplete(speaker, more.final.headers), true);
    if (version === 6) assertProblem(more.final, 400, 'upload_closed', 'completed-upload');
    else assertProblem(more.final, 400, 'invalid_request', 'inconsistent-upload-length');
  });

  test(`interop ${version}: OPTIONS answers with the limits without a token`, async () => {
    const send = sendAs(server, version);
    for (const path of ['/resumable', '/resumable/a.mrc', '/resumable/uploads/x']) {
      const { final } = await send('OPTIONS', path, { authorization: '' });
      assert.equal(final.status, 204);
      const limits = final.headers['upload-limit'];
      if (version < 6) assert.equal(limits, undefined);
      else assert.match(limits ?? '', version === 6 ? /min-size=0, expires=\d+/ : /min-size=0, max-age=\d+/);
    }
  });
}

test('interop: without a version, Upload-Incomplete alone is understood', async () => {
  const bytes = makeMrc(2_000);
  const { interim, final } = await sendAs(server, null)(
    'POST',
    '/resumable/a.mrc',
    { 'upload-incomplete': '?0' },
    bytes,
  );
  assert.deepEqual(interim, []);
  assert.equal(final.status, 201);
  assert.equal(final.headers['upload-incomplete'], '?0');
});

test('interop: a media type that versions 6 and 8 need is not needed by 5', async () => {
  for (const [version, status] of [
    [5, 204],
    [6, 415],
    [8, 415],
  ] as const) {
    const send = sendAs(server, version);
    const started = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0' });
    const path = pathOf(started.final.headers.location);
    const headers = { 'upload-complete': '?0', 'upload-offset': '0', 'content-type': 'application/octet-stream' };
    assert.equal((await send('PATCH', path, headers, makeMrc(2_000))).final.status, status);
  }
});

test('interop: a page of another origin reads the limits, and where an upload is', async (t) => {
  const origin = 'https://portal.example.org';
  const pages = await startServer({ CRYOLIFT_CORS_ORIGINS: origin });
  t.after(() => pages.discard());
  const send = sendAs(pages, 8);
  const options = await send('OPTIONS', '/resumable', { origin, authorization: '' });
  assert.equal(options.final.status, 204);
  assert.match(options.final.headers['upload-limit'] ?? '', /max-size=/);
  assert.equal(options.final.headers['access-control-allow-origin'], origin);
  const asked = { origin, authorization: '', 'access-control-request-method': 'PATCH' };
  const preflight = await send('OPTIONS', '/resumable/uploads/x', asked);
  assert.match(preflight.final.headers['access-control-allow-methods'] ?? '', /\bPATCH\b/);
  const { final } = await send('POST', '/resumable/a.mrc', { origin, 'upload-complete': '?0' });
  const exposed = (final.headers['access-control-expose-headers'] ?? '').split(', ');
  for (const name of Object.keys(final.headers)) {
    if (name.startsWith('upload-') || name === 'location') assert.ok(exposed.includes(name), name);
  }
  assert.ok(exposed.includes('upload-received'));
});
