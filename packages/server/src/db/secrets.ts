/** Secrets that several servers share. */
import type { SecretStore } from '../secret-store.ts';
import type { Database } from './database.ts';
import { readFact } from './server-state.ts';

/** Signs URLs. */
export const SIGNING_KEYS = 'signing-keys';
/** Signs events. */
export const WEBHOOK_SECRET = 'webhook-secret';
/** Sign receipts. */
export const RECEIPT_KEYS = 'receipt-keys';
/** All of them, by their names. */
export const SHARED_SECRETS: readonly string[] = [SIGNING_KEYS, WEBHOOK_SECRET, RECEIPT_KEYS];

/** @param name among the facts of the database. */
export function openSecretRow(db: Database, name: string): SecretStore {
  return {
    read: async () => (await readFact(db, name)) ?? null,
    async replace(value, before) {
      if (before === null) {
        const insert = db.insertInto('facts').values({ name, value });
        const { numInsertedOrUpdatedRows } = await insert
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirstOrThrow();
        return Number(numInsertedOrUpdatedRows) === 1;
      }
      const { numUpdatedRows } = await db
        .updateTable('facts')
        .set({ value })
        .where('name', '=', name)
        .where('value', '=', before)
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },
  };
}
