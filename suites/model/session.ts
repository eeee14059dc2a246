/** One run: the model beside the servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OPEN_STATES } from '@cryolift/protocol/states';
import { send } from './client.ts';
import type { Site } from './deployments/site.ts';
import type { Call } from './operations.ts';
import { type Done, explain } from './reference/explain.ts';
import { GRACE_MS, type Model, type Owner } from './reference/model.ts';
import { type Request, resolve } from './requests.ts';

/** The server sweeps by itself every minute. */
const SWEEP_MS = 55_000;
const JUMP_MS = 60_000;

/** @returns what the model is before a server has been asked anything. */
export function emptyModel({ limits, time, servers }: Pick<Site, 'limits' | 'time' | 'servers'>): Model {
  return {
    limits,
    wallMs: time.wallMs,
    steadyMs: time.steadyMs,
    servers: Array.from({ length: servers }, () => ({ settledAtMs: time.steadyMs + GRACE_MS, isAgesDue: true })),
    uploads: new Map(),
    ids: [],
    files: new Map(),
    keys: new Map(),
    contents: 0,
  };
}

export class Session {
  readonly site: Site;
  /** Of fast-check, which keeps this object. */
  readonly model: Model;
  /** Others that explain all answers as well. */
  #others: readonly Model[] = [];
  readonly counts = { answers: 0, uploads: 0, files: 0 };

  constructor(site: Site) {
    this.site = site;
    this.model = emptyModel(site);
  }

  /** The clocks are reliable, and times that are stored were compared with them. */
  async begin(): Promise<void> {
    await this.pass(GRACE_MS);
    for (let server = 0; server < this.site.servers; server++) await this.run([{ kind: 'sweep' }], server);
  }

  /**
   * Makes the calls at once, looks at what they are about, and compares all answers with the model.
   *
   * @param server which gets the first of them; the next one gets the second. @returns the answers.
   * @throws Error with a line for each difference.
   */
  async run(calls: readonly Call[], server: number): Promise<Done[]> {
    const { site, model } = this;
    const requests = calls.map((call) => resolve(model, call)).filter((request) => request !== undefined);
    const done = await Promise.all(requests.map((request, nth) => this.#ask((server + nth) % site.servers, request)));
    const touched = new Map(done.map((each) => [touchedBy(each), ownerOf(model, each)]));
    const seen: Done[] = [];
    for (const [id, owner] of touched) {
      if (id !== null && owner) seen.push(...(await this.#look((server + 1) % site.servers, id, owner)));
    }
    const explained = explain([model, ...this.#others], done, seen, site.ageMs() > SWEEP_MS);
    if (explained.faults.length > 0) throw new Error(explained.faults.join('\n'));
    const [next, ...others] = explained.models;
    this.#count(next, done.length + seen.length);
    Object.assign(model, next);
    this.#others = others;
    return done;
  }

  #count(next: Model, answers: number): void {
    this.counts.answers += answers;
    this.counts.uploads += next.ids.length - this.model.ids.length;
    this.counts.files += [...next.files.keys()].filter((id) => !this.model.files.has(id)).length;
  }

  async #ask(server: number, request: Request): Promise<Done> {
    const answer = await send(this.site.caller(server), request);
    if (request.kind !== 'create' || answer.status !== 422) return { server, request, answer };
    // An empty file with a wrong digest has failed, and the answer does not say its id.
    const list = await send(this.site.caller(server), { kind: 'list', owner: request.owner, status: null });
    const [newest] = (list.body?.items ?? []) as { upload_id: string }[];
    return { server, request, answer: { ...answer, headers: { location: `/tus/${newest?.upload_id}` } } };
  }

  async #look(server: number, uploadId: string, owner: Owner): Promise<Done[]> {
    const upload = this.model.uploads.get(uploadId);
    const common = { owner, uploadId };
    const shown = await this.#ask(server, { kind: 'show', ...common });
    const isAppended = upload?.protocol === 'tus' && OPEN_STATES.includes(shown.answer.body?.status as 'pending');
    if (!isAppended) return [shown];
    const head = await this.#ask(server, { kind: 'head', ...common });
    // Completes an upload that has all of its bytes.
    return [shown, head, await this.#ask(server, { kind: 'show', ...common })];
  }

  async pass(ms: number): Promise<void> {
    this.site.time.pass(ms);
    this.#noteTime();
  }

  /** The wall clock is set. @param ms below 0: back. */
  async jump(ms: number): Promise<void> {
    this.site.time.jump(ms);
    this.#noteTime();
    if (Math.abs(ms) < JUMP_MS) return;
    for (let server = 0; server < this.site.servers; server++) this.#unsettle(server);
  }

  #noteTime(): void {
    const { wallMs, steadyMs } = this.site.time;
    for (const model of [this.model, ...this.#others]) Object.assign(model, { wallMs, steadyMs });
  }

  async restart(server: number): Promise<void> {
    await this.site.restart(server);
    this.#unsettle(server);
  }

  /** A server takes its clock for reliable after some time. */
  #unsettle(server: number): void {
    for (const model of [this.model, ...this.#others]) {
      model.servers[server] = { settledAtMs: model.steadyMs + GRACE_MS, isAgesDue: true };
    }
  }

  /** @throws Error when `isDone` does not become true in half a minute. */
  async until(what: string, isDone: () => Promise<boolean>): Promise<void> {
    for (const endMs = performance.now() + 30_000; !(await isDone()); await sleep(100)) {
      if (performance.now() > endMs) throw new Error(`${what} did not happen within 30 s`);
    }
  }
}

/** The upload whose state a request may have changed; null: none. */
function touchedBy({ request, answer }: Done): string | null {
  switch (request.kind) {
    case 'init':
      return typeof answer.body?.upload_id === 'string' ? answer.body.upload_id : null;
    case 'create':
      return answer.headers.location?.split('/').at(-1) ?? null;
    default:
      return 'uploadId' in request && request.kind !== 'show' ? request.uploadId : null;
  }
}

/** Who may look at what a request was about. */
function ownerOf({ uploads }: Model, { request }: Done): Owner | undefined {
  const known = 'uploadId' in request ? uploads.get(request.uploadId)?.owner : undefined;
  return known ?? ('owner' in request ? request.owner : undefined);
}
