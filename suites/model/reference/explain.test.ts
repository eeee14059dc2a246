/** Wrong answers are reported: without this, a model that allows everything would pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, sha256 } from '../content.ts';
import type { AppendRequest, Request } from '../requests.ts';
import type { Answer } from './expected.ts';
import { type Done, explain } from './explain.ts';
import { type Model, move } from './model.ts';
import { predictInit } from './predict-new.ts';

const NEW = { owner: 'ada', sizeBytes: 150, content: 7, sha256: null, fingerprint: null, key: null } as const;
const PART = { kind: 'part', owner: 'ada', uploadId: 'u1', content: 7, sha256: null } as const;
const FIRST = { ...PART, idx: 0, offset: 0, length: 100, variant: 0 } as const;
const COMPLETE = { kind: 'complete', owner: 'ada', uploadId: 'u1', sha256: null } as const;

/** One upload of two parts, of 100 and 50 bytes. */
function makeModel(): Model {
  const limits = { partBytes: 100, sizes: [150], quotaBytes: 1000, ttlMs: 1000, hasLateDigests: false };
  const model: Model = {
    ...{ limits, wallMs: 5000, steadyMs: 0, servers: [{ settledAtMs: 0, isAgesDue: false }] },
    ...{ uploads: new Map(), ids: [], files: new Map(), keys: new Map(), contents: 0 },
  };
  predictInit(model, 0, NEW, answer(201, { upload_id: 'u1' }));
  return model;
}

function answer(status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): Answer {
  return { status, headers, body };
}

function receipt(variant: 0 | 1, status: 200 | 201): Answer {
  const digest = sha256(bytesOf(7, variant, 0, 100));
  const progress = { received_parts: 1, received_bytes: 100, status: 'uploading' };
  return answer(status, { part: 0, sha256: digest, deduplicated: status === 200, ...progress });
}

function faultsOf(model: Model, ...done: (readonly [Request, Answer])[]): readonly string[] {
  const calls = done.map(([request, answered]): Done => ({ server: 0, request, answer: answered }));
  return explain([model], calls, [], false).faults;
}

test('model: right answers have an explanation, and wrong ones have none', () => {
  assert.deepEqual(faultsOf(makeModel(), [FIRST, receipt(0, 201)]), []);
  const wrong: [Request, Answer][] = [
    [FIRST, receipt(1, 201)],
    [FIRST, receipt(0, 200)],
    [FIRST, answer(409, { code: 'part_conflict' })],
    [COMPLETE, answer(200, { file_id: 'f1' })],
    [COMPLETE, answer(409, { code: 'upload_incomplete', details: { missing_parts: [[1, 1]] } })],
    [{ ...COMPLETE, kind: 'show' }, answer(200, { upload_id: 'u1', status: 'uploading' })],
    [{ kind: 'limits', owner: 'ada' }, answer(200, { used_bytes: 0, quota_bytes: 1000 })],
    [{ kind: 'list', owner: 'ada', status: null }, answer(200, { items: [], next_cursor: null })],
  ];
  for (const each of wrong) assert.notDeepEqual(faultsOf(makeModel(), each), [], JSON.stringify(each));
});

test('model: of two parts with other bytes at once, one is stored', () => {
  const other = { ...FIRST, variant: 1 } as const;
  const conflict = answer(409, { code: 'part_conflict' });
  assert.deepEqual(faultsOf(makeModel(), [FIRST, receipt(0, 201)], [other, conflict]), []);
  assert.deepEqual(faultsOf(makeModel(), [FIRST, conflict], [other, receipt(1, 201)]), []);
  assert.notDeepEqual(faultsOf(makeModel(), [FIRST, receipt(0, 201)], [other, receipt(1, 201)]), []);
  assert.notDeepEqual(faultsOf(makeModel(), [FIRST, conflict], [other, conflict]), []);
});

test('model: an upload that is overdue is expired for every call, while the clock is reliable', () => {
  const expired = answer(410, { code: 'upload_expired' });
  const overdue = () => Object.assign(makeModel(), { wallMs: 6000 });
  assert.deepEqual(faultsOf(overdue(), [FIRST, expired]), []);
  assert.notDeepEqual(faultsOf(overdue(), [FIRST, receipt(0, 201)]), []);
  const unsettled = Object.assign(overdue(), { servers: [{ settledAtMs: 1, isAgesDue: true }] });
  assert.deepEqual(faultsOf(unsettled, [FIRST, receipt(0, 201)]), []);
});

test('model: an append that was ended keeps what the offset says afterwards, and no more than it had', () => {
  const append: AppendRequest = {
    ...{ kind: 'append', owner: 'ada', uploadId: 'u1', content: 7 },
    ...{ offset: 0, length: 60, variant: 0, checksum: 'none' },
  };
  const superseded = answer(409, { code: 'offset_mismatch' });
  const cancel: Request = { kind: 'cancel', owner: 'ada', uploadId: 'u1' };
  const explained = (endBytes: number) => {
    const model = makeModel();
    Object.assign(model.uploads.get('u1') ?? {}, { protocol: 'tus', parts: [] });
    const second = { ...append, offset: 30, length: 10, variant: 1 } as const;
    const done: Done[] = [
      { server: 0, request: append, answer: superseded },
      { server: 0, request: second, answer: answer(204, {}, { 'upload-offset': '40' }) },
    ];
    const head: Request = { ...cancel, kind: 'head' };
    const headers = { 'upload-offset': String(endBytes), 'upload-length': '150' };
    return explain([model], done, [{ server: 0, request: head, answer: answer(200, {}, headers) }], false).faults;
  };
  assert.deepEqual(explained(40), [], 'the first 30 bytes are of the first, 10 of the second');
  assert.notDeepEqual(explained(70), []);
});

test('model: it changes states by their table alone', () => {
  const model = makeModel();
  const [upload] = model.uploads.values();
  assert.throws(() => upload && move(model, upload, 'published'), /published of an upload that is pending/);
});
