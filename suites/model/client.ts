/** Sends the requests of the model to a server, by HTTP. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, digestHeader, sha256 } from './content.ts';
import type { Answer } from './reference/expected.ts';
import type { Owner } from './reference/model.ts';
import type { AppendRequest, NewUpload, PartRequest, Request } from './requests.ts';

export interface Caller {
  /** Of the server. */
  readonly url: string;
  /** @returns a token; of an admin for null. */
  token(owner: Owner | null): string;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Buffer;
}

/** How often a request is repeated that the server cannot answer now. */
const ATTEMPTS = 300;
const BETWEEN_MS = 50;

/** Repeats what another request is in the way of, as clients do. @throws Error when the server does not answer. */
export async function send(caller: Caller, request: Request): Promise<Answer> {
  const sent = compose(request);
  const token = caller.token('owner' in request ? request.owner : null);
  for (let attempt = 1; ; attempt++) {
    const answer = await exchange(caller.url, token, sent);
    if (attempt === ATTEMPTS || !isBusy(answer)) return answer;
    await sleep(BETWEEN_MS);
  }
}

/** A digest that is being computed may take longer than a test waits, because the time of the model stands still. */
function isBusy({ status, body }: Answer): boolean {
  if (status === 423) return true;
  return status === 503 && body?.code === 'overloaded' && !String(body.message).includes('SHA-256');
}

async function exchange(url: string, token: string, { method, path, ...sent }: Sent): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, ...sent.headers };
  const response = await fetch(`${url}${path}`, {
    method,
    redirect: 'manual',
    headers: sent.json === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    ...(sent.json === undefined ? {} : { body: JSON.stringify(sent.json) }),
    ...(sent.bytes === undefined ? {} : { body: new Uint8Array(sent.bytes) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type')?.includes('json');
  const body = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : { sha256: sha256(bytes) };
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

function compose(request: Request): Sent {
  switch (request.kind) {
    case 'init':
      return composeInit(request);
    case 'create':
      return composeCreate(request);
    case 'part':
      return composePart(request);
    case 'append':
      return composeAppend(request);
    case 'complete': {
      const path = `/uploads/${request.uploadId}/complete`;
      return { method: 'POST', path, ...(request.sha256 === null ? {} : { json: { sha256: request.sha256 } }) };
    }
    case 'cancel':
      return { method: 'DELETE', path: `/uploads/${request.uploadId}` };
    case 'show':
      return { method: 'GET', path: `/uploads/${request.uploadId}` };
    case 'parts':
      return { method: 'GET', path: `/uploads/${request.uploadId}/parts` };
    case 'head':
      return { method: 'HEAD', path: `/tus/${request.uploadId}`, headers: TUS };
    case 'terminate':
      return { method: 'DELETE', path: `/tus/${request.uploadId}`, headers: TUS };
    case 'download':
      return { method: 'GET', path: `/files/${request.fileId}/content` };
    case 'delete':
      return { method: 'DELETE', path: `/files/${request.fileId}` };
    case 'list':
      return { method: 'GET', path: `/uploads${request.status === null ? '' : `?status=${request.status}`}` };
    case 'files':
      return { method: 'GET', path: '/files' };
    case 'limits':
      return { method: 'GET', path: '/limits' };
    case 'sweep':
      return { method: 'POST', path: '/admin/sweep' };
  }
}

const TUS = { 'tus-resumable': '1.0.0' };
const FILENAME = 'movie.bin';

function composeInit({ sizeBytes, sha256: digest, fingerprint, key }: NewUpload): Sent {
  const json = {
    filename: FILENAME,
    size: sizeBytes,
    ...(digest === null ? {} : { sha256: digest }),
    ...(fingerprint === null ? {} : { fingerprint }),
  };
  return { method: 'POST', path: '/uploads/init', json, headers: key === null ? {} : { 'idempotency-key': key } };
}

function composeCreate({ sizeBytes, sha256: digest }: NewUpload): Sent {
  const pairs = { filename: FILENAME, ...(digest === null ? {} : { sha256: digest }) };
  const metadata = Object.entries(pairs).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`);
  const headers = { ...TUS, 'upload-length': String(sizeBytes), 'upload-metadata': metadata.join(',') };
  return { method: 'POST', path: '/tus', headers };
}

function composePart({ uploadId, content, idx, variant, offset, length, sha256: digest }: PartRequest): Sent {
  const headers = digest === null ? {} : { 'content-digest': digestHeader(digest) };
  const bytes = bytesOf(content, variant, offset, length);
  return { method: 'PUT', path: `/uploads/${uploadId}/part/${idx}`, headers, bytes };
}

function composeAppend({ uploadId, content, variant, offset, length, checksum }: AppendRequest): Sent {
  const bytes = bytesOf(content, variant, offset, length);
  const digest = createHash('sha1').update(checksum === 'wrong' ? 'other bytes' : bytes);
  const headers = {
    ...TUS,
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
    ...(checksum === 'none' ? {} : { 'upload-checksum': `sha1 ${digest.digest('base64')}` }),
  };
  return { method: 'PATCH', path: `/tus/${uploadId}`, headers, bytes };
}
