/** Sends requests to a server and checks every answer. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { makeMrc } from '../contract/sample.ts';
import { open, publish } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import type { OwnServer } from '../server-under-test.ts';
import { type FuzzAnswer, findFault } from './checks.ts';
import { type Operation, readOperations } from './document.ts';
import { type FuzzRequest, type Knowledge, requestOf, SMALL_BYTES } from './requests.ts';

const PARALLEL = 8;
const BATCH = 256;
const MAX_IDS = 60;
/** Bytes that are read of a stream without an end. */
const STREAM_BYTES = 2_000;
/** The longest time in which a request is repeated. */
const BUSY_MS = 60_000;
const ALL = 'uploads:write files:read files:delete files:locate';

export interface Outcome {
  readonly requests: number;
  readonly byStatus: Readonly<Record<number, number>>;
  readonly faults: readonly string[];
  /** Of the server: when a third was done, and at the end. */
  readonly residentBytes: readonly [number, number];
}

export async function fuzz(server: OwnServer, count: number, seed: number): Promise<Outcome> {
  const operations = await readOperations(server.url);
  const tokens = [
    server.token({ sub: 'ada', scope: ALL }),
    server.token({ sub: 'bob', scope: ALL }),
    server.token({ sub: 'ada', scope: 'files:read' }),
    server.token({ sub: 'root', scope: 'admin' }),
  ];
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });
  const byStatus: Record<number, number> = {};
  const faults: string[] = [];
  let ids = await prepare(server);
  let thirdBytes = 0;
  let done = 0;
  for (let batch = 0; done < count && faults.length < 10; batch++) {
    const knowledge: Knowledge = { ids, tokens };
    const requests = sample(operations, knowledge, seed + batch);
    const worker = async () => {
      for (let next = requests.pop(); next; next = requests.pop()) {
        const answer = await sendWhenFree(server.url, agent, next);
        byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
        const fault = findFault(next, answer);
        if (fault) faults.push(describe(next, fault));
        ids = learn(ids, answer);
        done++;
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    if (thirdBytes === 0 && done >= count / 3) thirdBytes = await readResident(server.url);
  }
  agent.destroy();
  return { requests: done, byStatus, faults, residentBytes: [thirdBytes, await readResident(server.url)] };
}

/** Uploads and files to ask for. @returns their ids. */
async function prepare(server: OwnServer): Promise<string[]> {
  const call = callAs(server, { sub: 'ada' });
  const ids: string[] = [];
  for (const kind of ['note.txt', 'movie.mrc'] as const) {
    const { file_id, upload_id } = await publish(call, makeMrc(5000), { filename: kind });
    ids.push(file_id, upload_id);
  }
  for (let each = 0; each < 20; each++) {
    ids.push((await open(call, { filename: 'note.txt', size: SMALL_BYTES })).upload_id);
  }
  return ids;
}

function sample(operations: readonly Operation[], knowledge: Knowledge, seed: number): FuzzRequest[] {
  return fc.sample(fc.oneof(...operations.map((each) => requestOf(each, knowledge))), { numRuns: BATCH, seed });
}

/** Ids out of answers, the newest kept. */
function learn(ids: string[], { status, body }: FuzzAnswer): string[] {
  if (status >= 300) return ids;
  const found = body.toString('latin1').match(/(?<="(?:upload|file|link)_id":")\w{10,64}/g) ?? [];
  return found.length === 0 ? ids : [...new Set([...found.slice(0, 5), ...ids])].slice(0, MAX_IDS);
}

/** As clients do: a server that has too much to do at once is asked again. */
async function sendWhenFree(url: string, agent: Agent, request: FuzzRequest): Promise<FuzzAnswer> {
  const deadlineMs = Date.now() + BUSY_MS;
  for (;;) {
    const answer = await send(url, agent, request);
    const isBusy = answer.status === 503 && answer.body.includes('"code":"overloaded"');
    if (!isBusy || Date.now() > deadlineMs) return answer;
    await delay(100);
  }
}

async function send(url: string, agent: Agent, { operation, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<FuzzAnswer>();
  // Node refuses to send these; the suite of bare sockets does.
  const sendable = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace(/[^\t\x20-\x7e]/g, '?')]),
  );
  const lengthOf = body ? { 'content-length': String(body.length) } : {};
  const sent = request(`${url}${path}`, { method: operation.method, agent, headers: { ...sendable, ...lengthOf } });
  sent.on('error', (error) => reject(new Error(`${operation.method} ${path}: ${error.message}`)));
  sent.on('response', (response) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const finish = () =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) });
    const isStream = String(response.headers['content-type']).startsWith('text/event-stream');
    response.on('data', (bytes: Buffer) => {
      pieces.push(bytes);
      length += bytes.length;
      if (!isStream && length < STREAM_BYTES * 1000) return;
      finish();
      sent.destroy();
    });
    response.on('end', finish);
    response.on('error', finish);
  });
  sent.end(body ?? undefined);
  return await promise;
}

async function readResident(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]);
}

function describe({ operation, path, headers, body }: FuzzRequest, fault: string): string {
  const text = body ? ` body ${JSON.stringify(Buffer.from(body).toString('latin1').slice(0, 300))}` : '';
  const { authorization, ...shown } = headers;
  return `${operation.method} ${path} ${JSON.stringify(shown)}${text}\n    → ${fault}`;
}
