/** The start of an upload. */
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { NewUpload } from '../requests.ts';
import type { Answer, Expected } from './expected.ts';
import { expireIfDue, isSettled, type Model, type ModelUpload, partCountOf, usedBytes } from './model.ts';
import { settleComplete } from './predict-complete.ts';
import { describe } from './records.ts';

export function predictInit(model: Model, server: number, request: NewUpload, answer: Answer): Expected {
  const { owner, sizeBytes, sha256, fingerprint, key } = request;
  const printed = JSON.stringify([sizeBytes, sha256, fingerprint]);
  const keyOfOwner = key === null ? null : `${owner} ${key}`;
  const used = keyOfOwner === null ? undefined : model.keys.get(keyOfOwner);
  if (used && used.request !== printed) return { status: 409, code: 'idempotency_conflict' };
  const first = used && model.uploads.get(used.uploadId);
  if (first) return resume(model, server, first, answer);
  const found = fingerprint === null ? undefined : findByFingerprint(model, server, request);
  const upload = found ?? open(model, request, 'parts', String(answer.body?.upload_id));
  if (!upload) return refuse(model, request);
  if (keyOfOwner !== null) model.keys.set(keyOfOwner, { request: printed, uploadId: upload.id });
  if (!found) return { status: 201, fields: { ...describe(model, upload), resumed: false } };
  found.declared ??= sha256;
  return resume(model, server, found, answer);
}

function resume(model: Model, server: number, upload: ModelUpload, answer: Answer): Expected {
  expireIfDue(model, server, upload);
  return { status: 200, fields: { ...describe(model, upload, answer), resumed: true } };
}

/** The newest open upload of the same file. */
function findByFingerprint(model: Model, server: number, request: NewUpload): ModelUpload | undefined {
  const { owner, sizeBytes, fingerprint, sha256 } = request;
  const isDue = ({ expiresMs }: ModelUpload) => isSettled(model, server) && expiresMs <= model.wallMs;
  return [...model.uploads.values()]
    .filter((each) => each.owner === owner && each.fingerprint === fingerprint && each.sizeBytes === sizeBytes)
    .filter((each) => OPEN_STATES.includes(each.state) && !isDue(each))
    .filter(({ declared }) => sha256 === null || declared === null || declared === sha256)
    .at(-1);
}

function refuse(model: Model, { owner, sizeBytes }: NewUpload): Expected {
  const details = { used: usedBytes(model, owner), limit: model.limits.quotaBytes, needed: sizeBytes };
  return { status: 413, code: 'quota_exceeded', fields: { details } };
}

/** @returns undefined when the quota does not allow it. */
function open(model: Model, request: NewUpload, protocol: 'parts' | 'tus', id: string): ModelUpload | undefined {
  const { owner, sizeBytes, content, sha256, fingerprint } = request;
  const { limits, wallMs } = model;
  if (usedBytes(model, owner) + sizeBytes > limits.quotaBytes) return undefined;
  const upload: ModelUpload = {
    ...{ id, owner, protocol, content, sizeBytes, fingerprint },
    createdMs: wallMs,
    state: 'pending',
    declared: sha256,
    parts: Array.from({ length: protocol === 'parts' ? partCountOf(limits, { sizeBytes }) : 0 }, () => null),
    runs: [],
    updatedMs: wallMs,
    expiresMs: wallMs + limits.ttlMs,
    fileId: null,
  };
  model.uploads.set(id, upload);
  model.ids.push(id);
  return upload;
}

export function predictCreate(model: Model, request: NewUpload, answer: Answer): Expected {
  const id = answer.headers.location?.split('/').at(-1) ?? 'none';
  const upload = open(model, request, 'tus', id);
  if (!upload) return refuse(model, request);
  // A file without bytes is complete.
  const failed = request.sizeBytes === 0 ? settleComplete(model, upload, null) : null;
  return failed ?? { status: 201, headers: { 'upload-offset': '0' } };
}
