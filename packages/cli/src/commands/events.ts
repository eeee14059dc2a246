/** `cryolift events [ID]`: prints a line for each event, across interruptions. */
import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import {
  ConnectionError,
  ForeignReplyError,
  foreignReply,
  type GetToken,
  RetryPolicy,
  readEvents,
  readRetryAfter,
  ServerError,
} from '@cryolift/client';
import { createAgent, describeWay, toConnectionError } from '@cryolift/client/node';
import type { ErrorEnvelope } from '@cryolift/protocol/errors';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, open, UPLOADS } from '../connection/connection.ts';
import { sayWaiting } from '../connection/waiting.ts';
import { formatBytes } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, NoTokenError, UsageError } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

const END_STATES: readonly string[] = ['completed', 'failed', 'cancelled', 'expired'];
/** The server sends something every 15 s. */
const SILENCE_MS = 40_000;
/** A stream that was open for this long resets the retry delay. */
const WORKS_MS = 10_000;

/** An error answer is never longer. */
const MAX_ERROR_BYTES = 1024 * 1024;

const FAILURES = [ServerError, ForeignReplyError, ConnectionError, NoTokenError, UsageError];

interface CloudEvent {
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: UploadRecord | FileRecord;
}

interface Following {
  readonly url: URL;
  /** The proxy that leads to the server. */
  readonly proxy: URL | null;
  readonly getToken: GetToken;
  readonly signal: AbortSignal;
  readonly onEvent: (event: CloudEvent) => void;
  readonly retryPolicy: RetryPolicy;
  /** The event to continue after; null: events from now on only. */
  afterId: string | null;
}

export async function followEvents(
  uploadId: string | undefined,
  flags: ConnectionOptions & { json?: boolean; after?: number },
): Promise<ExitCode> {
  const { server, proxy, getToken } = open(flags, UPLOADS);
  const output = new Output(flags.json);
  let status: string | null = null;
  const signal = interruptible();
  const following: Following = {
    url: new URL(`${server}${uploadId === undefined ? '' : `/uploads/${encodeURIComponent(uploadId)}`}/events`),
    proxy: proxy?.url ?? null,
    getToken,
    signal,
    onEvent: (event) => {
      status = statusOf(event) ?? status;
      output.result(event, () => describe(event));
    },
    retryPolicy: new RetryPolicy(),
    afterId: flags.after === undefined ? null : String(flags.after),
  };
  // The stream of one upload ends with the upload. The other stream ends only when the server stops or the token expires.
  const follow = async () => {
    await readOnce(following);
    if (uploadId === undefined || !END_STATES.includes(status ?? '')) {
      throw new ConnectionError('the event stream ended');
    }
  };
  await following.retryPolicy.retry(follow, signal, sayWaiting(output));
  return status === 'completed' ? EXIT.done : EXIT.failed;
}

/** Reads one stream to its end. @throws ServerError, ConnectionError, ForeignReplyError */
async function readOnce(following: Following, renew = false): Promise<void> {
  const { url, proxy, getToken, signal, onEvent, retryPolicy, afterId } = following;
  const agent = createAgent(url, proxy);
  const silence = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let openedMs = Number.POSITIVE_INFINITY;
  const onAlive = () => {
    if (performance.now() - openedMs > WORKS_MS) retryPolicy.noteProgress();
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error(`no data arrived for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
  };
  try {
    onAlive();
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer ${await getToken(renew)}`,
      ...(afterId === null ? {} : { 'last-event-id': afterId }),
    };
    const response = await request(url, { agent, headers, signal: AbortSignal.any([signal, silence.signal]) });
    if (response.statusCode === 401 && !renew) return await readOnce(following, true);
    if (response.statusCode !== 200) throw await toError(response, describeWay(url, proxy));
    // This may be the sign-in page of a proxy.
    if (!response.headers['content-type']?.startsWith('text/event-stream'))
      throw foreign(response, describeWay(url, proxy));
    retryPolicy.noteReply();
    openedMs = performance.now();
    const onId = (id: string) => {
      following.afterId = id;
    };
    const body = Readable.toWeb(response) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>;
    for await (const { data } of readEvents(body, onAlive, onId)) {
      onEvent(JSON.parse(data) as CloudEvent);
      retryPolicy.noteProgress();
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (FAILURES.some((each) => cause instanceof each)) throw cause;
    throw toConnectionError(silence.signal.aborted ? silence.signal.reason : cause, url, proxy);
  } finally {
    clearTimeout(timer);
    agent.destroy();
  }
}

async function request(
  url: URL,
  options: { agent: Agent; headers: Record<string, string>; signal: AbortSignal },
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
  begin(url, options).on('response', resolve).on('error', reject).end();
  return await promise;
}

async function toError(response: IncomingMessage, way: string): Promise<Error> {
  const { statusCode: status = 0, headers } = response;
  const envelope = await readEnvelope(response);
  if (typeof envelope?.code !== 'string') return foreign(response, way);
  return new ServerError(status, envelope, readRetryAfter(headers['retry-after'], headers.date));
}

/** @returns null when the body is not an error envelope: it may be an HTML page, or have no end. */
async function readEnvelope(response: IncomingMessage): Promise<ErrorEnvelope | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_ERROR_BYTES) return null;
    }
    return JSON.parse(Buffer.concat(chunks).toString()) as ErrorEnvelope | null;
  } catch {
    return null;
  }
}

function foreign(response: IncomingMessage, way: string): Error {
  response.destroy();
  return foreignReply(response.statusCode ?? 0, way);
}

function statusOf({ data }: CloudEvent): string | null {
  return 'status' in data ? data.status : null;
}

/** `2026-11-23 05:28:56  upload.progress  42.0%  movie.mrc  1.2 GiB  uploads/01M8…` */
function describe(event: CloudEvent): string {
  const { data, time, type, subject } = event;
  const progress = type.endsWith('.progress') && 'progress' in data ? `${(data.progress * 100).toFixed(1)}%` : '';
  return [
    time.slice(0, 19).replace('T', ' '),
    type.replace(/^cryolift\./, '').padEnd(21),
    progress.padStart(6),
    formatBytes(data.size).padStart(9),
    data.filename,
    subject,
  ].join('  ');
}
