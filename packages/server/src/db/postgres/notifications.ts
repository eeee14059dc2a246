/**
 * LISTEN, on a connection of its own: that of a pool is another one for each transaction. Through PgBouncer in transaction
 * mode nothing arrives, and polling finds what happened.
 */
import pg from 'pg';
import { CHANNEL } from './dialect.ts';

const RECONNECT_MS = 5_000;

export interface Notifications {
  stop(): Promise<void>;
}

/** @param onNotify is called when a server has committed events, and after each connection: some may have been missed. */
export function listenForEvents(url: string, onNotify: () => void): Notifications {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, application_name: 'cryolift events', keepAlive: true });
    client = next;
    // Also when connecting fails: `end` comes in every case but that of a connection that was never made.
    next.on('error', () => {});
    next.on('end', reconnectLater);
    next.on('notification', onNotify);
    try {
      await next.connect();
      await next.query(`listen ${CHANNEL}`);
      onNotify();
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
