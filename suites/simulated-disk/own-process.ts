/** The server in this process: a new one for each disk, without the time that a process takes to start. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { createLogger } from '../../packages/server/src/ops/log.ts';
import { type RunningServer, startServer } from '../../packages/server/src/server.ts';
import { signToken, toPayload } from '../contract/token.ts';
import type { Target } from '../server-under-test.ts';
import type { Receiver } from '../webhooks/receiver.ts';

/** `together`: the data folder has all. `apart`: the bytes are on a volume of their own. */
export const LAYOUTS = ['together', 'apart'] as const;
export type Layout = (typeof LAYOUTS)[number];

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const STOP_MS = 60_000;
const LOG_BYTES = 1024 * 1024;

const { readFileSync } = fs;
let bootId: string | null = null;

/** What servers take for the id of the system's boot from now on; null: it is the system's. */
export function setBootId(id: string | null): void {
  bootId = id;
}

/** As the server's own program does at its start. */
export function prepareProcess(): void {
  process.umask(0o077);
  fs.readFileSync = ((path: string, ...rest: []) =>
    path === BOOT_ID && bootId !== null ? bootId : readFileSync(path, ...rest)) as typeof readFileSync;
  syncBuiltinESMExports();
}

export class OwnProcessServer implements Pick<Target, 'url' | 'token'> {
  readonly #server: RunningServer;
  readonly #lines: string[];
  /** What signs its tokens. */
  readonly secret: string;

  private constructor(server: RunningServer, lines: string[], secret: string | null) {
    this.#server = server;
    this.#lines = lines;
    this.secret = secret ?? server.ownSecret ?? '';
  }

  /** @param secret that it must have for its tokens; null: whichever it has. */
  static async start(
    disk: string,
    layout: Layout,
    receiver: Receiver,
    secret: string | null = null,
  ): Promise<OwnProcessServer> {
    const config = readConfig({
      CRYOLIFT_PORT: '0',
      CRYOLIFT_DATA_DIR: join(disk, 'data'),
      ...(layout === 'apart' ? { CRYOLIFT_STORAGE_URL: `file:${join(disk, 'storage')}` } : {}),
      CRYOLIFT_ACCEPT: 'dat',
      CRYOLIFT_RATE_LIMIT: '1000000',
      CRYOLIFT_WEBHOOK_URL: receiver.url,
      CRYOLIFT_WEBHOOK_SECRET: `whsec_${receiver.key.toString('base64')}`,
    });
    const lines: string[] = [];
    let bytes = 0;
    const log = createLogger('info', {
      write(line) {
        bytes += line.length;
        if (bytes < LOG_BYTES) lines.push(line);
      },
    });
    return new OwnProcessServer(await startServer(config, log), lines, secret);
  }

  get url(): string {
    return this.#server.url;
  }

  get log(): string {
    return this.#lines.join('');
  }

  token(claims: Parameters<Target['token']>[0]): string {
    return signToken(toPayload(claims), 'HS256', this.secret);
  }

  async stop(): Promise<void> {
    await this.#server.stop(STOP_MS);
  }
}

/** Where its bytes are. */
export function storageFolder(disk: string, layout: Layout): string {
  return join(disk, layout === 'apart' ? 'storage' : 'data');
}
