/** Uploads of tus that the workload of the crash points does not have: of unknown length, and concatenated. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadPage } from '@cryolift/protocol/messages';
import type { Answer } from '../contract/answer.ts';
import { OFFSET_TYPE, printMetadata } from '../contract/tus/tus-client.ts';
import { GivenUp } from '../reliability/caller.ts';
import type { Entry, Ledger } from '../reliability/ledger.ts';
import { askTus, describeTus, type TusRequest } from '../reliability/tus-request.ts';
import { insist, readUpload, type Steps } from '../reliability/upload-steps.ts';

const AGAIN_MS = 40;
const PIECES = 4;
/** What the end of an upload's server may lead to; the client looks what is there, and goes on. */
const RETRIED = [
  '503 overloaded',
  '423 overloaded',
  '503 database_unavailable',
  '423 database_unavailable',
  '423',
  '503',
];

export interface Appends {
  readonly growing: Entry;
  readonly joined: Entry;
  /** The uploads that are concatenated. */
  readonly partials: string[];
}

type Headers = Readonly<Record<string, string>>;

export function planAppends(ledger: Ledger, owner: string, partSizeBytes: number): Appends {
  const open = (name: string, sizeBytes: number) =>
    ledger.open({ owner, filename: `${owner}-${name}.dat`, sizeBytes, partSizeBytes, declares: 'never', by: 'tus' });
  return { growing: open('growing', 9001), joined: open('joined', 5003), partials: [] };
}

/** Starts those of which nothing is lost when their answer is: at a server that is not stopped. */
export async function startAppends(steps: Steps, { growing, joined, partials }: Appends): Promise<void> {
  const metadata = { 'upload-metadata': printMetadata({ filename: growing.plan.filename }) };
  const started = await ask(steps, growing, 'POST', '/tus', ['201'], {
    ...metadata,
    'upload-defer-length': '1',
    'content-length': '0',
  });
  growing.upload = await readUpload(steps, growing, idOf(started));
  for (const part of halves(joined)) {
    const headers = { 'upload-concat': 'partial', 'upload-length': String(part.length), 'content-length': '0' };
    partials.push(idOf(await ask(steps, joined, 'POST', '/tus', ['201'], headers)));
  }
}

export async function sendAppends(steps: Steps, appends: Appends): Promise<void> {
  const { growing, joined, partials } = appends;
  await append(steps, growing, growing.upload?.upload_id as string, growing.makeBytes(), 'grows');
  await awaitFile(steps, growing);
  for (const [at, part] of halves(joined).entries()) await append(steps, joined, partials[at] as string, part, 'fixed');
  await concatenate(steps, appends);
  await awaitFile(steps, joined);
}

async function concatenate(steps: Steps, { joined, partials }: Appends): Promise<void> {
  if (joined.upload) return;
  const headers = {
    'upload-concat': `final;${partials.map((id) => `/tus/${id}`).join(' ')}`,
    'upload-metadata': printMetadata({ filename: joined.plan.filename }),
  };
  for (;;) {
    // POST cannot be repeated: one whose answer was lost is found in the list.
    const request = { method: 'GET', path: '/uploads?limit=200', expected: ['200'] } as const;
    const { items } = (await insist(steps, joined, request)).json<UploadPage>();
    const id = items.find(({ filename }) => filename === joined.plan.filename)?.upload_id;
    if (id) {
      joined.upload = await readUpload(steps, joined, id);
      return;
    }
    await askOnce(steps, joined, 'POST', '/tus', ['201', ...RETRIED], { ...headers, 'content-length': '0' });
  }
}

/** @param length `grows`: it is declared with the last bytes. */
async function append(steps: Steps, entry: Entry, id: string, bytes: Buffer, length: 'grows' | 'fixed'): Promise<void> {
  const step = Math.ceil(bytes.length / PIECES);
  let acknowledged = 0;
  while (acknowledged < bytes.length) {
    const body = bytes.subarray(acknowledged, acknowledged + step);
    const isLast = acknowledged + body.length === bytes.length;
    if (isLast) entry.completed = 'asked';
    const declared = isLast && length === 'grows' ? { 'upload-length': String(bytes.length) } : {};
    const headers = { 'content-type': OFFSET_TYPE, 'upload-offset': String(acknowledged), ...declared };
    const expected = ['204', '409 offset_mismatch', ...RETRIED];
    const answer = await askOnce(steps, entry, 'PATCH', `/tus/${id}`, expected, headers, body);
    const known = answer?.status === 204 ? answer : await ask(steps, entry, 'HEAD', `/tus/${id}`, ['200'], {});
    const offset = Number(known.headers['upload-offset']);
    if (offset < acknowledged) {
      steps.ledger.noteFault(entry, `${acknowledged} bytes were acknowledged, ${offset} are left`);
      throw new GivenUp('acknowledged bytes are lost');
    }
    acknowledged = offset;
  }
}

async function awaitFile(steps: Steps, entry: Entry): Promise<void> {
  for (const endMs = performance.now() + steps.patienceMs; ; await sleep(AGAIN_MS)) {
    const { status, file_id } = await readUpload(steps, entry, entry.upload?.upload_id as string);
    if (status === 'completed' && file_id) return steps.ledger.noteCompleted(entry, file_id);
    if (performance.now() < endMs) continue;
    steps.ledger.noteFault(entry, `it is ${status}, and all of its bytes were acknowledged`);
    throw new GivenUp('it was not completed');
  }
}

/** Asks until one of these comes. */
async function ask(
  steps: Steps,
  entry: Entry,
  method: TusRequest['method'],
  path: string,
  expected: readonly string[],
  headers: Headers,
): Promise<Answer> {
  for (const endMs = performance.now() + steps.patienceMs; performance.now() < endMs; await sleep(AGAIN_MS)) {
    const answer = await askOnce(steps, entry, method, path, [...expected, ...RETRIED], headers);
    if (answer && expected.includes(String(answer.status))) return answer;
  }
  steps.ledger.noteFault(entry, `${method} ${path} was not answered with ${expected}`);
  throw new GivenUp('not answered');
}

/** @returns null when no answer came, which is a fault while no server is away. */
async function askOnce(
  steps: Steps,
  entry: Entry,
  method: TusRequest['method'],
  path: string,
  expected: readonly string[],
  headers: Headers,
  body?: Uint8Array,
): Promise<Answer | null> {
  const request = { method, path, headers, ...(body ? { body } : {}) };
  return await askTus(steps, entry, request, (answer) => expected.includes(describeTus(answer)));
}

function idOf({ headers }: Answer): string {
  return headers.location?.split('/').at(-1) ?? '';
}

function halves(entry: Entry): [Buffer, Buffer] {
  const bytes = entry.makeBytes();
  const middle = bytes.length >> 1;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}
