/**
 * LISTEN, on a connection of its own: that of a pool is another one for each transaction. Through PgBouncer in transaction
 * mode nothing arrives, and polling finds what happened.
 */
import pg from 'pg';
import type { Notice } from '../dialect.ts';
import { CHANNELS } from './dialect.ts';

const RECONNECT_MS = 5_000;
const NOTICES = Object.keys(CHANNELS) as Notice[];

export interface Notifications {
  stop(): Promise<void>;
}

/** @param onNotify by what it is about; all are called after each connection, too: some notifications may have been missed. */
export function listenForNotices(url: string, onNotify: Readonly<Record<Notice, () => void>>): Notifications {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, application_name: 'cryolift events', keepAlive: true });
    client = next;
    // Also when connecting fails: `end` comes in every case but that of a connection that was never made.
    next.on('error', () => {});
    next.on('end', reconnectLater);
    next.on('notification', ({ channel }) => {
      for (const about of NOTICES) if (channel === CHANNELS[about]) onNotify[about]();
    });
    try {
      await next.connect();
      for (const about of NOTICES) await next.query(`listen ${CHANNELS[about]}`);
      for (const about of NOTICES) onNotify[about]();
    } catch {
      await next.end().catch(() => {});
      reconnectLater();
    }
  }

  function reconnectLater(): void {
    if (isStopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), RECONNECT_MS).unref();
  }

  void connect();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
