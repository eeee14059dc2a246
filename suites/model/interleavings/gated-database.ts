/** A database whose queries and transactions wait at the gate, before they begin and after they have ended. */
import { type DatabaseConnection, type Driver, Kysely } from 'kysely';
import type { Database } from '../../../packages/server/src/db/database.ts';
import { openSqliteFile } from '../../../packages/server/src/db/open.ts';
import { ThreadedSqlite } from '../../../packages/server/src/db/sqlite/driver.ts';
import type { Tables } from '../../../packages/server/src/db/tables.ts';
import type { Gate } from './gate.ts';

/** @param path of the file, which is created. */
export async function openGatedDatabase(path: string, gate: Gate): Promise<Database> {
  await (await openSqliteFile(path)).destroy();
  return new Kysely<Tables>({ dialect: new GatedSqlite(path, gate) });
}

class GatedSqlite extends ThreadedSqlite {
  readonly #gate: Gate;

  constructor(path: string, gate: Gate) {
    super(path);
    this.#gate = gate;
  }

  override createDriver(): Driver {
    return new GatedDriver(super.createDriver(), this.#gate);
  }
}

class GatedDriver implements Driver {
  readonly #driver: Driver;
  readonly #gate: Gate;

  constructor(driver: Driver, gate: Gate) {
    this.#driver = driver;
    this.#gate = gate;
  }

  async init(): Promise<void> {
    await this.#driver.init();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#gate.pass('database');
    this.#gate.begin();
    return await this.#driver.acquireConnection();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await this.#driver.releaseConnection(connection);
    this.#gate.end();
    await this.#gate.pass('database done');
  }

  async beginTransaction(...args: Parameters<Driver['beginTransaction']>): Promise<void> {
    await this.#driver.beginTransaction(...args);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#driver.commitTransaction(connection);
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#driver.rollbackTransaction(connection);
  }

  async destroy(): Promise<void> {
    await this.#driver.destroy();
  }
}
