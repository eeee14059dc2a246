/** Starts the servers of a site in this process, with the time of the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../../packages/server/src/config/config.ts';
import { createLogger } from '../../../packages/server/src/ops/log.ts';
import { type Overrides, type RunningServer, startServer } from '../../../packages/server/src/server.ts';
import { signToken, toPayload } from '../../contract/token.ts';
import type { Caller } from '../client.ts';
import type { Limits, Owner } from '../reference/model.ts';
import { newId } from './ids.ts';
import type { TestTime } from './test-time.ts';

const SECRET = 'only for tests: 32 bytes or more of it';
const STOP_MS = 10_000;

interface Started {
  readonly server: RunningServer;
  readonly startedMs: number;
}

export class Servers {
  readonly #limits: Limits;
  readonly #time: TestTime;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #overrides: Overrides;
  readonly #folders: string[] = [];
  readonly #running: Started[] = [];
  readonly #tokens = new Map<Owner | null, string>();

  private constructor(limits: Limits, time: TestTime, settings: Readonly<Record<string, string>>, more: Overrides) {
    this.#limits = limits;
    this.#time = time;
    this.#settings = settings;
    this.#overrides = more;
  }

  /** @param settings by their names in the environment. @param overrides of each server. */
  static async start(
    count: number,
    limits: Limits,
    time: TestTime,
    settings: Readonly<Record<string, string>>,
    overrides: Overrides = {},
  ): Promise<Servers> {
    const servers = new Servers(limits, time, settings, overrides);
    for (let nth = 0; nth < count; nth++) {
      servers.#folders.push(await mkdtemp(join(tmpdir(), 'cryolift-model-')));
      servers.#running.push(await servers.#start(nth));
    }
    return servers;
  }

  async #start(nth: number): Promise<Started> {
    const env = {
      CRYOLIFT_JWT_SECRET: SECRET,
      CRYOLIFT_PORT: '0',
      CRYOLIFT_DATA_DIR: join(this.#folders[nth] as string, 'data'),
      CRYOLIFT_ACCEPT: 'bin',
      CRYOLIFT_PART_SIZE: `${this.#limits.partBytes}b`,
      CRYOLIFT_QUOTA_BYTES: `${this.#limits.quotaBytes}b`,
      CRYOLIFT_SESSION_TTL: `${this.#limits.ttlMs / 1000}s`,
      CRYOLIFT_RATE_LIMIT: '1000000',
      ...this.#settings,
    };
    const clock = this.#time.startClock(nth, this.#limits.ttlMs);
    const log = createLogger(process.env.CRYOLIFT_MODEL_LOG ?? 'silent');
    const server = await startServer(readConfig(env), log, { newId, clock, ...this.#overrides });
    return { server, startedMs: performance.now() };
  }

  caller(nth: number): Caller {
    return { url: this.#running[nth]?.server.url ?? '', token: (owner) => this.#token(owner) };
  }

  #token(owner: Owner | null): string {
    const known = this.#tokens.get(owner);
    if (known) return known;
    const claims = owner === null ? { sub: 'operator', scope: 'admin' } : { sub: owner };
    // Without times: those of tokens are checked by the clock, which is moved by days.
    const { iat: _iat, exp: _exp, ...payload } = toPayload(claims) as Record<string, unknown>;
    const token = signToken(payload, 'HS256', SECRET);
    this.#tokens.set(owner, token);
    return token;
  }

  ageMs(): number {
    return performance.now() - Math.min(...this.#running.map(({ startedMs }) => startedMs));
  }

  async restart(nth: number): Promise<void> {
    await this.#running[nth]?.server.stop(STOP_MS);
    this.#running[nth] = await this.#start(nth);
  }

  async close(): Promise<void> {
    for (const { server } of this.#running) await server.stop(STOP_MS);
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
