/** What a server must answer to a request, and how the model stands after it. */
import { partExtent } from '@cryolift/protocol/plan';
import type { Request } from '../requests.ts';
import type { Answer, Expected } from './expected.ts';
import {
  expireIfDue,
  isSettled,
  type Model,
  type ModelUpload,
  move,
  type Owner,
  partDigest,
  recordedParts,
  usedBytes,
} from './model.ts';
import { predictAppend, predictHead, predictTerminate } from './predict-append.ts';
import { predictComplete } from './predict-complete.ts';
import { predictCreate, predictInit } from './predict-new.ts';
import { predictPart } from './predict-part.ts';
import { describe, describeFile, NOT_FOUND } from './records.ts';

const FILE_NOT_FOUND: Expected = { status: 404, code: 'file_not_found' };

/**
 * Changes the model as the request does.
 *
 * @param server which is asked. @param answer gives the ids that the server has chosen, and nothing else.
 */
export function predict(model: Model, server: number, request: Request, answer: Answer): Expected {
  switch (request.kind) {
    case 'init':
      return predictInit(model, server, request, answer);
    case 'create':
      return predictCreate(model, request, answer);
    case 'list':
      return listUploads(model, request);
    case 'files':
      return listFiles(model, request);
    case 'limits':
      return {
        status: 200,
        fields: { used_bytes: usedBytes(model, request.owner), quota_bytes: model.limits.quotaBytes },
      };
    case 'sweep':
      return predictSweep(model, server);
    case 'download':
    case 'delete':
      return predictFile(model, request);
    default:
      return predictOfUpload(model, server, request, answer);
  }
}

type OfUpload = Exclude<
  Request,
  { kind: 'init' | 'create' | 'list' | 'files' | 'limits' | 'sweep' | 'download' | 'delete' }
>;

function predictOfUpload(model: Model, server: number, request: OfUpload, answer: Answer): Expected {
  const upload = model.uploads.get(request.uploadId);
  if (!upload || upload.owner !== request.owner) return NOT_FOUND;
  expireIfDue(model, server, upload);
  switch (request.kind) {
    case 'part':
      return predictPart(model, upload, request);
    case 'complete':
      return predictComplete(model, upload, request, answer);
    case 'cancel':
      return predictCancel(model, upload);
    case 'show':
      return { status: 200, fields: describe(model, upload, answer) };
    case 'parts':
      return { status: 200, fields: { items: listParts(model, upload, answer) } };
    case 'append':
      return predictAppend(model, upload, request);
    case 'head':
      return predictHead(model, upload);
    case 'terminate':
      return predictTerminate(model, upload);
  }
}

function predictCancel(model: Model, upload: ModelUpload): Expected {
  if (upload.state === 'cancelled' || upload.state === 'expired') return { status: 204 };
  if (upload.state === 'completed') return { status: 409, code: 'upload_closed' };
  move(model, upload, 'cancel');
  return { status: 204 };
}

/** @param answer has the times at which parts were stored, which the model does not know. */
function listParts({ limits }: Model, upload: ModelUpload, answer: Answer): unknown[] {
  const items = (answer.body?.items ?? []) as { stored_at?: unknown }[];
  return recordedParts(limits, upload)
    .map((isRecorded, idx) => ({ isRecorded, idx }))
    .filter(({ isRecorded }) => isRecorded)
    .map(({ idx }, nth) => ({
      part: idx,
      size: partExtent(upload.sizeBytes, limits.partBytes, idx).length,
      sha256: partDigest(limits, upload, idx),
      stored_at: items[nth]?.stored_at,
    }));
}

function listUploads(model: Model, { owner, status }: Request & { kind: 'list' }): Expected {
  const listed = [...model.uploads.values()]
    .filter((upload) => upload.owner === owner && (status === null || upload.state === status))
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .map((upload) => ({
      upload_id: upload.id,
      status: upload.state,
      received_parts: describe(model, upload).received_parts,
    }));
  return { status: 200, fields: { items: listed, next_cursor: null } };
}

function listFiles(model: Model, { owner }: { owner: Owner }): Expected {
  const listed = [...model.files.values()]
    .filter((file) => file.owner === owner)
    .sort((a, b) => (String(a.id) < String(b.id) ? 1 : -1))
    .map((file) => describeFile(model, file));
  return { status: 200, fields: { items: listed, next_cursor: null } };
}

function predictFile(model: Model, request: Request & { kind: 'download' | 'delete' }): Expected {
  const file = model.files.get(request.uploadId);
  if (!file || file.owner !== request.owner) return FILE_NOT_FOUND;
  if (request.kind === 'download') return { status: 200, fields: { sha256: file.sha256 } };
  model.files.delete(request.uploadId);
  return { status: 204 };
}

/** Expires what is due, and forgets what has ended long ago. */
export function predictSweep(model: Model, server: number): Expected {
  const { ttlMs } = model.limits;
  const state = model.servers[server];
  if (!state || !isSettled(model, server)) return { status: 200, fields: { expired: 0, forgotten: 0, leftovers: 0 } };
  if (state.isAgesDue) correctAges(model);
  state.isAgesDue = false;
  let [expired, forgotten] = [0, 0];
  for (const upload of model.uploads.values()) {
    const before = upload.state;
    expireIfDue(model, server, upload);
    if (upload.state !== before) expired++;
  }
  for (const [id, { state: ended, updatedMs }] of model.uploads) {
    if (!['completed', 'cancelled', 'expired'].includes(ended) || updatedMs >= model.wallMs - ttlMs) continue;
    model.uploads.delete(id);
    for (const [key, { uploadId }] of model.keys) if (uploadId === id) model.keys.delete(key);
    forgotten++;
  }
  return { status: 200, fields: { expired, forgotten, leftovers: 0 } };
}

/** Times that a clock which was ahead has stored. */
function correctAges({ uploads, wallMs, limits }: Model): void {
  for (const upload of uploads.values()) {
    if (upload.updatedMs <= wallMs) continue;
    upload.updatedMs = wallMs;
    upload.expiresMs = Math.min(upload.expiresMs, wallMs + limits.ttlMs);
  }
}
