/** An upload of a tus client: its bytes are appended, and what was acknowledged is an offset. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { Answer } from '../contract/answer.ts';
import { OFFSET_TYPE, printMetadata } from '../contract/tus/tus-client.ts';
import { GivenUp } from './caller.ts';
import type { Entry } from './ledger.ts';
import { askTus, describeTus, type TusRequest } from './tus-request.ts';
import { insist, readUpload, type Steps } from './upload-steps.ts';

const AGAIN_MS = 40;
/** In one PATCH when the rest is sent. */
const ALL = Number.POSITIVE_INFINITY;
/** An answer to HEAD has no body that says why. */
const LOCKED = '423';

interface Asked extends TusRequest {
  readonly expected: readonly string[];
}

export class Appended {
  readonly entry: Entry;
  #acknowledgedBytes: number;

  constructor(entry: Entry, acknowledgedBytes = 0) {
    this.entry = entry;
    this.#acknowledgedBytes = acknowledgedBytes;
  }

  get acknowledgedBytes(): number {
    return this.#acknowledgedBytes;
  }

  /** Starts it, and sends its bytes so many at a time. The server completes it by itself. */
  async send(steps: Steps, bytesAtATime: number): Promise<void> {
    const { upload_id } = await this.open(steps);
    for (const endMs = performance.now() + steps.patienceMs; ; await sleep(AGAIN_MS)) {
      await this.#sendRest(steps, upload_id, bytesAtATime);
      const { status, file_id } = await readUpload(steps, this.entry, upload_id);
      if (status === 'completed' && file_id) return steps.ledger.noteCompleted(this.entry, file_id);
      if (performance.now() > endMs) {
        steps.ledger.noteFault(this.entry, `it is ${status}, and all of its bytes were acknowledged`);
        return;
      }
      // What the disk has lost is asked for again.
      if (steps.weather.losses && isOpen(status)) await this.#readOffset(steps);
    }
  }

  /** Sends one body. @returns false: nothing was left to be sent. */
  async sendOne(steps: Steps, bytesAtATime: number): Promise<boolean> {
    const { upload_id } = await this.open(steps);
    return await this.#sendNext(steps, upload_id, bytesAtATime);
  }

  /** POST cannot be repeated: an upload whose answer was lost is found in the list. */
  async find(steps: Steps): Promise<void> {
    const { entry } = this;
    if (entry.upload) return;
    const request = { method: 'GET', path: '/uploads?limit=200', expected: ['200'] } as const;
    const { items } = (await insist(steps, entry, request)).json<UploadPage>();
    const found = items.find(({ filename }) => filename === entry.plan.filename);
    if (found) entry.upload = await readUpload(steps, entry, found.upload_id);
  }

  /** What was acknowledged must be there, or is asked for again where bytes may be lost; the rest is sent. */
  async finish(steps: Steps): Promise<void> {
    const { upload_id } = await this.open(steps);
    const { status } = await readUpload(steps, this.entry, upload_id);
    if (isOpen(status)) await this.#readOffset(steps);
    else this.#acknowledgedBytes = this.entry.plan.sizeBytes;
    await this.send(steps, ALL);
  }

  async open(steps: Steps): Promise<UploadRecord> {
    const { entry } = this;
    const { filename, sizeBytes } = entry.plan;
    while (!entry.upload) {
      const answer = await this.#askOnce(steps, {
        method: 'POST',
        path: '/tus',
        headers: {
          'upload-length': String(sizeBytes),
          'upload-metadata': printMetadata({ filename }),
          'content-length': '0',
        },
        expected: ['201'],
      });
      const id = answer?.headers.location?.split('/').at(-1);
      if (id !== undefined) entry.upload = await readUpload(steps, entry, id);
      else await this.find(steps);
    }
    return entry.upload;
  }

  async #sendRest(steps: Steps, id: string, bytesAtATime: number): Promise<void> {
    while (await this.#sendNext(steps, id, bytesAtATime));
  }

  async #sendNext(steps: Steps, id: string, bytesAtATime: number): Promise<boolean> {
    const offset = this.#acknowledgedBytes;
    const bytes = this.entry.makeBytes();
    if (offset >= bytes.length) return false;
    const body = bytes.subarray(offset, offset + bytesAtATime);
    if (offset + body.length === bytes.length) this.entry.completed = 'asked';
    const answer = await this.#askOnce(steps, {
      method: 'PATCH',
      path: `/tus/${id}`,
      headers: { 'content-type': OFFSET_TYPE, 'upload-offset': String(offset) },
      body,
      expected: ['204', '409 offset_mismatch'],
    });
    if (answer?.status === 204) {
      steps.ledger.counts.appends++;
      this.#acknowledgedBytes = Number(answer.headers['upload-offset']);
      return true;
    }
    // As tus says: whatever became of the body, the server is asked.
    await sleep(AGAIN_MS);
    const { status } = await readUpload(steps, this.entry, id);
    if (!isOpen(status)) return false;
    await this.#readOffset(steps);
    return true;
  }

  /** What the server says that it has, bytes. */
  async askOffset(steps: Steps): Promise<number> {
    const path = `/tus/${(await this.open(steps)).upload_id}`;
    for (const endMs = performance.now() + steps.patienceMs; performance.now() < endMs; await sleep(AGAIN_MS)) {
      const answer = await this.#askOnce(steps, { method: 'HEAD', path, expected: ['200'] });
      if (answer) return Number(answer.headers['upload-offset']);
    }
    const fault = `HEAD ${path} was not answered in ${steps.patienceMs} ms`;
    steps.ledger.noteFault(this.entry, fault);
    throw new GivenUp(fault);
  }

  async #readOffset(steps: Steps): Promise<void> {
    const { ledger, weather } = steps;
    const offset = await this.askOffset(steps);
    if (offset < this.#acknowledgedBytes) {
      if (weather.losses) ledger.counts.takenBackParts++;
      else ledger.noteFault(this.entry, `${this.#acknowledgedBytes} bytes were acknowledged, ${offset} are left`);
    }
    this.#acknowledgedBytes = offset;
  }

  /** @returns null when no answer came, or one that the weather explains. @throws GivenUp after a wrong answer. */
  async #askOnce(steps: Steps, { expected, ...request }: Asked): Promise<Answer | null> {
    const isExpected = (answer: Answer) => expected.includes(describeTus(answer));
    const isTrouble = (answer: Answer) => {
      const described = describeTus(answer);
      // Tus has statuses of its own.
      const isKnown = steps.weather.troubles.some((code) => described.endsWith(` ${code}`));
      return isKnown || (request.method === 'HEAD' && described === LOCKED);
    };
    const answer = await askTus(steps, this.entry, request, (each) => isExpected(each) || isTrouble(each));
    return answer && isExpected(answer) ? answer : null;
  }
}

function isOpen(status: UploadRecord['status']): boolean {
  return OPEN_STATES.includes(status);
}
