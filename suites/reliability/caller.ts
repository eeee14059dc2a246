/** One way to call the server for clients and checks: every answer is held to the contract. */
import { ERRORS, type ErrorCode } from '@cryolift/protocol/errors';
import { type Answer, callUnchecked, type Extra } from '../contract/wire.ts';
import { checkForm } from '../fuzz/checks.ts';
import { type Operation, readOperations } from '../fuzz/document.ts';
import type { OwnServer } from '../server-under-test.ts';
import type { Entry, Ledger } from './ledger.ts';

const AGAIN_MS = 40;

/** Ends the clients: thrown in all their calls. */
export class Stopped extends Error {}

/** What was asked for does not come: the server has answered wrongly, or not in time. */
export class GivenUp extends Error {}

/** What may happen at the moment. Campaigns change it; callers read it with every answer. */
export interface Weather {
  /** The server is being killed or is away: no answer says nothing. */
  away: boolean;
  /** Refusals that the fault under way explains. */
  troubles: readonly ErrorCode[];
  /** The disk fails, so that the bytes of an answer may break off in the middle. */
  cuts: boolean;
  /** A command line that a refusal of the storage has ended is run again. */
  commandsMayFail: boolean;
  /** Bytes may have been lost beneath the server: acknowledged parts may be asked for again. */
  losses: boolean;
  /** A proxy stands before the servers: it answers in its own words that none of them has answered. */
  proxied?: boolean;
  /** A file whose digest was not declared is published before it is known. */
  lateDigests?: boolean;
}

export interface Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly extra?: Extra;
  /** `201`, or a refusal: `409 part_conflict`. */
  readonly expected: readonly string[];
}

type Called = Pick<OwnServer, 'url' | 'token'>;

/** Runs a call, or lets it wait before. */
export type Pass = <Result>(call: () => Promise<Result>) => Promise<Result>;

export class Caller {
  readonly #server: Called;
  readonly #ledger: Ledger;
  readonly #weather: Weather;
  readonly #tokens = new Map<string, string>();
  #operations: readonly (Operation & { pattern: RegExp })[] = [];
  /** Number of checked answers. */
  answers = 0;

  constructor(server: Called, ledger: Ledger, weather: Weather) {
    this.#server = server;
    this.#ledger = ledger;
    this.#weather = weather;
  }

  /** @param before one of a server of the same version, which has read the document already. */
  async readDocument(before?: Caller | null): Promise<void> {
    if (before) {
      this.#operations = before.#operations;
      return;
    }
    const operations = await readOperations(this.#server.url);
    this.#operations = operations.map((each) => ({
      ...each,
      pattern: new RegExp(`^${each.path.replace(/\{\w+\}/g, '[^/]+')}$`),
    }));
  }

  token(owner: string): string {
    const known = this.#tokens.get(owner);
    if (known) return known;
    const token = this.#server.token(
      owner === 'admin' ? { sub: owner, scope: 'admin', ttlSeconds: 86_400 } : { sub: owner, ttlSeconds: 86_400 },
    );
    this.#tokens.set(owner, token);
    return token;
  }

  /** Asks once, for callers that check the answers themselves: those of other protocols. */
  async call(owner: string, method: string, path: string, extra?: Extra): Promise<Answer> {
    const call = callUnchecked(this.#server, { authorization: `Bearer ${this.token(owner)}` });
    return await call(method, path, extra);
  }

  /**
   * Asks once. An answer that was not expected and that the weather does not explain is noted as a fault.
   *
   * @returns `again` when no answer came, or one that the weather explains.
   */
  async ask(owner: string, entry: Entry | null, request: Request): Promise<Answer | 'again' | 'wrong'> {
    const { method, path, extra, expected } = request;
    if (entry) entry.touched = true;
    const answer = await this.call(owner, method, path, extra).catch((error: Error) => error);
    if (answer instanceof Error) {
      if (this.#mayBeSilent(path, answer)) return 'again';
      this.#ledger.noteFault(entry, `${method} ${path} got no answer: ${answer.message}`);
      return 'wrong';
    }
    if (this.#weather.proxied && isOfProxy(answer)) return 'again';
    this.answers++;
    const described = describe(answer);
    const wrong = this.#check(request, answer);
    if (wrong) this.#ledger.noteFault(entry, `${method} ${path} answered ${described} outside the contract: ${wrong}`);
    if (expected.includes(described)) return answer;
    if (this.#isTrouble(described)) return 'again';
    const text = answer.body.toString().slice(0, 500);
    this.#ledger.noteFault(entry, `${method} ${path} answered ${described}, expected ${expected}: ${text}`);
    return 'wrong';
  }

  /**
   * Asks until an expected answer comes.
   *
   * @param pass runs each call, at a moment that suits.
   * @throws GivenUp after `patienceMs`, or after a fault.
   */
  async insist(
    owner: string,
    entry: Entry | null,
    request: Request,
    patienceMs: number,
    pass: Pass = (call) => call(),
  ): Promise<Answer> {
    const { method, path, expected } = request;
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const answer = await pass(() => this.ask(owner, entry, request));
      if (answer === 'wrong') throw new GivenUp(`${method} ${path} was answered wrongly`);
      if (answer !== 'again') return answer;
      if (performance.now() > deadlineMs) {
        const fault = `${method} ${path} was not answered with ${expected} in ${patienceMs} ms`;
        this.#ledger.noteFault(entry, fault);
        throw new GivenUp(fault);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /** A server that sends nothing for long on an open connection hangs. */
  #mayBeSilent(path: string, error: Error): boolean {
    if (error.message.startsWith('the server sent nothing')) return false;
    return this.#weather.away || (this.#weather.cuts && path.endsWith('/content'));
  }

  #isTrouble(described: string): boolean {
    return this.#weather.troubles.some((code) => described === `${ERRORS[code].status} ${code}`);
  }

  #check({ method, path }: Request, answer: Answer): string | null {
    const [bare = ''] = path.split('?');
    const operation = this.#operations.find((each) => each.method === method && each.pattern.test(bare));
    if (!operation) return `${method} ${bare} is not in the document`;
    return checkForm({ operation, path: bare }, answer);
  }
}

/** Not from a server of Cryolift, whose errors are JSON. */
function isOfProxy({ status, headers }: Answer): boolean {
  return [502, 503, 504].includes(status) && !headers['content-type']?.startsWith('application/json');
}

/** `201`, or `409 part_conflict`. */
export function describe({ status, headers, body }: Answer): string {
  if (status < 400 || !headers['content-type']?.startsWith('application/json')) return String(status);
  return `${status} ${(JSON.parse(body.toString()) as { code: string }).code}`;
}
