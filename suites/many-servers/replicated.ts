/** PostgreSQL with a replica that follows it, and what stands before both: who has it, the servers do not see. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { query } from './sessions.ts';
import { Switch } from './switch.ts';

const PATIENCE_MS = 60_000;

export class Replicated {
  /** Of the database, for servers. */
  readonly url: string;
  readonly #primary: Cluster;
  readonly #replica: Cluster;
  readonly #servers: Switch;
  readonly #replication: Switch;

  private constructor(primary: Cluster, replica: Cluster, servers: Switch, replication: Switch) {
    this.#primary = primary;
    this.#replica = replica;
    this.#servers = servers;
    this.#replication = replication;
    this.url = Object.assign(new URL(primary.url), { port: String(servers.port) }).href;
  }

  static async open(): Promise<Replicated> {
    const primary = await startCluster();
    const replication = await Switch.open(primary.url);
    await primary.kill();
    const of = Object.assign(new URL(primary.url), { port: String(replication.port) }).href;
    // It must not run while it is copied; what is left in its log is recovered by both.
    const copied = startCluster({ standby: { of, copiedFrom: primary.data } });
    const replica = await copied;
    await primary.start();
    return new Replicated(primary, replica, await Switch.open(primary.url), replication);
  }

  /** Waits until the replica has all that was committed, and keeps from it what is committed from now on. */
  async cutReplica(): Promise<void> {
    const [row] = await query<{ lsn: string }>(this.#primary.url, 'select pg_current_wal_lsn()::text as lsn');
    const sql = 'select pg_last_wal_replay_lsn() >= $1::pg_lsn as has';
    for (const endMs = performance.now() + PATIENCE_MS; ; await sleep(20)) {
      const [replayed] = await query<{ has: boolean }>(this.#replica.url, sql, [row?.lsn]);
      if (replayed?.has) break;
      if (performance.now() > endMs) throw new Error('the replica does not follow');
    }
    this.#replication.close();
  }

  /** The primary dies, and the replica takes its place at the same address. */
  async failOver(): Promise<void> {
    await this.#primary.kill();
    await query(this.#replica.url, 'select pg_promote(true, 60)');
    this.#servers.turnTo(this.#replica.url);
  }

  async stop(): Promise<void> {
    this.#servers.close();
    this.#replication.close();
    await Promise.all([this.#primary.stop(), this.#replica.stop()]);
  }
}
