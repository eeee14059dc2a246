/** `cryolift events [ID]`: what happens, a line for each event, across interruptions. */
import {
  ConnectionError,
  ForeignReplyError,
  type GetToken,
  Patience,
  readEvents,
  readRetryAfter,
  ServerError,
} from '@cryolift/client';
import type { ErrorEnvelope } from '@cryolift/protocol/errors';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { type ConnectionOptions, open, UPLOADS } from '../connection.ts';
import { EXIT, type ExitCode, NoTokenError, UsageError } from '../exit.ts';
import { formatBytes } from '../format.ts';
import { interruptible } from '../interrupt.ts';
import { Output } from '../output.ts';
import { sayWaiting } from '../waiting.ts';

const END_STATES: readonly string[] = ['completed', 'failed', 'cancelled', 'expired'];
/** The server sends something every 15 s. */
const SILENCE_MS = 40_000;
/** A stream that has been open for so long is one that works. */
const WORKS_MS = 10_000;

const FAILURES = [ServerError, ForeignReplyError, ConnectionError, NoTokenError, UsageError];

interface CloudEvent {
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Session | FileRecord;
}

interface Following {
  readonly url: string;
  readonly getToken: GetToken;
  readonly signal: AbortSignal;
  readonly onEvent: (event: CloudEvent) => void;
  readonly patience: Patience;
  /** Where to go on; null: with what happens from now on. */
  afterId: string | null;
}

export async function followEvents(
  uploadId: string | undefined,
  flags: ConnectionOptions & { json?: boolean; after?: number },
): Promise<ExitCode> {
  const { server, getToken } = open(flags, UPLOADS);
  const output = new Output(flags.json);
  let status: string | null = null;
  const signal = interruptible();
  const following: Following = {
    url: `${server}${uploadId === undefined ? '' : `/uploads/${encodeURIComponent(uploadId)}`}/events`,
    getToken,
    signal,
    onEvent: (event) => {
      status = statusOf(event) ?? status;
      output.result(event, () => describe(event));
    },
    patience: new Patience(),
    afterId: flags.after === undefined ? null : String(flags.after),
  };
  // The stream of one upload ends with it. The other one ends only because the server stops, or the token's time is over.
  const follow = async () => {
    await readOnce(following);
    if (uploadId === undefined || !END_STATES.includes(status ?? '')) {
      throw new ConnectionError('the stream of events ended');
    }
  };
  await following.patience.retry(follow, signal, sayWaiting(output));
  return status === 'completed' ? EXIT.done : EXIT.failed;
}

/** Until the stream ends. @throws ServerError, ConnectionError */
async function readOnce(following: Following, renew = false): Promise<void> {
  const { url, getToken, signal, onEvent, patience, afterId } = following;
  const silence = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let openedMs = Number.POSITIVE_INFINITY;
  const onAlive = () => {
    if (performance.now() - openedMs > WORKS_MS) patience.noteProgress();
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    onAlive();
    const response = await fetch(url, {
      headers: {
        authorization: `Bearer ${await getToken(renew)}`,
        ...(afterId === null ? {} : { 'last-event-id': afterId }),
      },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.status === 401 && !renew) return await readOnce(following, true);
    if (!response.ok || !response.body) throw await toError(response);
    // A page to sign in at, of a proxy.
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) throw toForeign(response);
    patience.noteReply();
    openedMs = performance.now();
    const onId = (id: string) => {
      following.afterId = id;
    };
    for await (const { data } of readEvents(response.body, onAlive, onId)) {
      onEvent(JSON.parse(data) as CloudEvent);
      patience.noteProgress();
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (FAILURES.some((each) => cause instanceof each)) throw cause;
    throw new ConnectionError('the stream of events was interrupted', { cause });
  } finally {
    clearTimeout(timer);
  }
}

async function toError(response: Response): Promise<Error> {
  const envelope = (await response.json().catch(() => null)) as ErrorEnvelope | null;
  if (typeof envelope?.code !== 'string') return toForeign(response);
  const { headers, status } = response;
  return new ServerError(status, envelope, readRetryAfter(headers.get('retry-after'), headers.get('date')));
}

/** A proxy answers in its own form: for a server that it does not reach now, or because it lets no such request through. */
function toForeign({ status, body }: Response): Error {
  void body?.cancel().catch(() => {});
  const message = `the answer (${status}) is not one of a Cryolift server`;
  if (status >= 500 || status === 408 || status === 429) return new ConnectionError(message);
  return new ForeignReplyError(message);
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
