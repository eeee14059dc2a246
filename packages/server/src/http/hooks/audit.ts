/**
 * Writes calls to the audit: those that change something, those that read a file's bytes, and those that were refused.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { AuditEntry } from '../../ops/audit.ts';
import type { Caller } from '../auth/caller.ts';
import type { Services } from '../services.ts';
import { RefusedLines } from './refusal-audit.ts';

/** Other calls that change something are named by method and route, so that none is left out. */
const ACTIONS: Readonly<Record<string, string>> = {
  'POST /uploads/init': 'upload.init',
  'POST /uploads/:upload_id/complete': 'upload.complete',
  'DELETE /uploads/:upload_id': 'upload.cancel',
  'POST /uploads/:upload_id/sign': 'upload.sign',
  'PUT /uploads/:upload_id/part/:idx': 'part.put',
  'POST /uploads/:upload_id/parts/confirm': 'part.confirm',
  'GET /uploads/:upload_id/preview': 'upload.preview',
  'POST /resumable': 'upload.init',
  'POST /resumable/*': 'upload.init',
  'PUT /resumable/*': 'upload.init',
  'PATCH /resumable/uploads/:upload_id': 'part.put',
  'DELETE /resumable/uploads/:upload_id': 'upload.cancel',
  'POST /tus': 'upload.init',
  'PATCH /tus/:upload_id': 'part.put',
  'POST /tus/:upload_id': 'part.put',
  'DELETE /tus/:upload_id': 'upload.cancel',
  'GET /files/:file_id/content': 'file.read',
  'GET /files/:file_id/preview': 'file.preview',
  'POST /files/:file_id/sign': 'file.sign',
  'PATCH /files/:file_id': 'file.update',
  'DELETE /files/:file_id': 'file.delete',
  'POST /files/delete': 'file.delete',
  'POST /files/:file_id/copy': 'file.copy',
  'GET /files/manifest': 'file.list_downloads',
  'GET /admin/owners': 'admin.owners',
  'POST /datasets': 'dataset.create',
  'PATCH /datasets/:dataset_id': 'dataset.update',
  'DELETE /datasets/:dataset_id': 'dataset.delete',
  'POST /datasets/:dataset_id/expected': 'dataset.expect',
  'POST /datasets/:dataset_id/expected/withdraw': 'dataset.expect.withdraw',
  'POST /datasets/:dataset_id/sign': 'dataset.sign',
  'GET /datasets/:dataset_id/downloads': 'dataset.list_downloads',
  'POST /datasets/:dataset_id/complete': 'dataset.complete',
  'POST /datasets/:dataset_id/release': 'dataset.release',
  'POST /datasets/:dataset_id/reopen': 'dataset.reopen',
  'POST /links': 'link.create',
  'DELETE /links/:link_id': 'link.revoke',
  'DELETE /links': 'link.revoke_all',
  'POST /admin/sweep': 'admin.sweep',
  'POST /admin/scrub': 'admin.scrub.begin',
  'DELETE /admin/scrub': 'admin.scrub.end',
  'GET /admin/sessions': 'admin.sessions',
  'GET /admin/links': 'admin.links',
  'DELETE /admin/links': 'admin.links.revoke',
  'POST /webhooks/deliveries/:seq/retry': 'admin.delivery.retry',
};
/** Parts are listed with their upload. */
const PARTS: readonly string[] = ['part.put', 'part.sign', 'part.confirm'];
/** One task may make thousands of these calls. The same reader of the same thing has one line in ten minutes. */
const READS: readonly string[] = ['file.read', 'file.preview', 'upload.preview'];
const READ_AGAIN_MS = 600_000;
const MAX_READERS = 10_000;
const FLUSH_MS = 1_000;
const ID = /^[\w-]{1,64}$/;
const IDS = ['upload_id', 'file_id', 'dataset_id', 'link_id', 'seq'] as const;

/** `owner`: the owner whose things an administrator has changed. */
type Ids = Partial<Record<(typeof IDS)[number] | 'owner', string>>;

declare module 'fastify' {
  interface FastifyRequest {
    /** The ids of what the call uses, and of what it creates. */
    audited: Ids;
    /** What the call turned out to do, where its route does not say that; null: the route says it. */
    auditedAs: string | null;
    /** Files that the call has changed: each has a line of its own. */
    auditedFiles: readonly string[];
  }
}

/**
 * The line is written before the answer is sent, so that every answer has a line. When the line cannot be written, the
 * answer is sent all the same, and the failure is logged and counted.
 */
export function registerAudit(app: FastifyInstance, { audit, log, metrics, uploads: { now } }: Services): void {
  const readers = new LRUCache<string, true>({ max: MAX_READERS, ttl: READ_AGAIN_MS });
  const refused = new RefusedLines();
  const flushing = setInterval(() => void writeOmitted(now()), FLUSH_MS).unref();

  app.decorateRequest('audited', null as unknown as Ids);
  app.decorateRequest<string | null>('auditedAs', null);
  app.decorateRequest('auditedFiles', null as unknown as readonly string[]);
  app.addHook('onRequest', async (request) => {
    request.audited = pickIds(request.params);
    request.auditedFiles = [];
  });
  app.addHook('preSerialization', async (request, _reply, payload) => {
    if (isAudited(request)) request.audited = { ...request.audited, ...pickIds(payload) };
    return payload;
  });
  app.addHook('onSend', async (request, reply) => {
    if (!isAudited(request) && !isRefused(reply)) return;
    const entry = toEntry(request, reply, now());
    if (PARTS.includes(entry.action) && !isRefused(reply)) return;
    if (entry.outcome === 'ok' && READS.includes(entry.action) && wasReading(entry)) return;
    const isBounded = entry.outcome === 'refused' || entry.outcome === 'failed' || entry.subject === null;
    const { auditedFiles } = request;
    if (auditedFiles.length > 0) {
      await Promise.all(auditedFiles.map((file_id) => write({ ...entry, file_id })));
      return;
    }
    const line = isBounded ? refused.admit(entry, now()) : entry;
    if (line) await write(line);
  });
  app.addHook('onClose', async () => {
    clearInterval(flushing);
    await writeOmitted(Number.POSITIVE_INFINITY);
  });

  function wasReading({ subject, link_id, key_id, address, action, upload_id, file_id }: AuditEntry): boolean {
    const reader = JSON.stringify([subject, link_id, key_id, address, action, upload_id, file_id]);
    // A reader that the cache has dropped gets one more line.
    if (readers.has(reader)) return true;
    readers.set(reader, true);
    return false;
  }

  async function write(entry: AuditEntry): Promise<void> {
    await audit.write(entry).catch((error: unknown) => {
      metrics.noteAuditFailure();
      log.error({ err: error, request_id: entry.request_id, action: entry.action }, 'the audit could not be written');
    });
  }

  async function writeOmitted(nowMs: number): Promise<void> {
    await Promise.all(refused.takeOmitted(nowMs).map(write));
  }
}

function toEntry(request: FastifyRequest, reply: FastifyReply, nowMs: number): AuditEntry {
  const { caller, audited, failureCode } = request;
  return {
    time: new Date(nowMs).toISOString(),
    request_id: request.id,
    ...describeCaller(caller),
    address: request.ip,
    action: request.auditedAs ?? actionOf(request),
    ...audited,
    outcome: outcomeOf(reply.statusCode),
    ...(failureCode === null ? {} : { code: failureCode }),
  };
}

function actionOf({ method, routeOptions, body }: FastifyRequest): string {
  const call = `${method === 'HEAD' ? 'GET' : method} ${routeOptions.url}`;
  const action = ACTIONS[call] ?? call;
  // With digests, a client signs for itself the parts that it is about to send.
  const isForItself = typeof body === 'object' && body !== null && 'sha256' in body;
  return action === 'upload.sign' && isForItself ? 'part.sign' : action;
}

/** @param caller null: the caller was not identified. */
function describeCaller(caller: Caller | null): Pick<AuditEntry, 'subject' | 'link_id' | 'key_id'> {
  switch (caller?.kind) {
    case 'token':
      return { subject: caller.sub };
    case 'link':
      return { subject: caller.link.owner, link_id: caller.link.id };
    case 'signed':
      return { subject: null, key_id: caller.keyId };
    case undefined:
      return { subject: null };
  }
}

function isAudited(request: FastifyRequest): boolean {
  if (request.auditedAs !== null) return true;
  if (request.is404 || !request.routeOptions.config.scope) return false;
  return !['GET', 'HEAD'].includes(request.method) || ACTIONS[`GET ${request.routeOptions.url}`] !== undefined;
}

function isRefused({ statusCode }: FastifyReply): boolean {
  return statusCode === 401 || statusCode === 403;
}

function outcomeOf(status: number): AuditEntry['outcome'] {
  if (status >= 500) return 'failed';
  if (status >= 400) return 'refused';
  return status === 202 ? 'begun' : 'ok';
}

/** Only values that have the form of an id are taken: any other value comes from the client and may be anything. */
function pickIds(source: unknown): Ids {
  const fields = (source ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    IDS.flatMap((name) => {
      const id = fields[name];
      return typeof id === 'string' && ID.test(id) ? [[name, id]] : [];
    }),
  );
}
