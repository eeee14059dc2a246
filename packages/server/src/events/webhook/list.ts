/** What the webhook has not taken, for administrators. */
import { UploadError } from '@cryolift/protocol/errors';
import type { Delivery, DeliveryPage } from '@cryolift/protocol/messages';
import type { Database } from '../../db/database.ts';
import * as db from '../../db/deliveries.ts';
import { toPage } from '../../db/page.ts';
import type { DeliveryRow } from '../../db/tables.ts';

/** Oldest first. */
export async function listDeliveries(
  database: Database,
  query: { status?: DeliveryRow['status'] | undefined; cursor?: string | undefined; limit: number },
): Promise<DeliveryPage> {
  const after = query.cursor === undefined ? 0 : Number(query.cursor);
  const rows = await db.listDeliveries(database, { status: query.status, after, limit: query.limit + 1 });
  const page = toPage(rows, query.limit, ({ seq }) => String(seq));
  return { ...page, items: page.items.map(toDelivery) };
}

/** Has an event told again, now. @throws UploadError `not_found` when it was accepted meanwhile, or was never there. */
export async function retryDelivery(database: Database, seq: number, nowMs: number): Promise<Delivery> {
  const row = await db.reviveDelivery(database, seq, nowMs);
  if (!row) throw new UploadError('not_found', `No event ${seq} waits for the webhook.`);
  return toDelivery(row);
}

function toDelivery(row: DeliveryRow): Delivery {
  const { id, type } = JSON.parse(row.event) as { id: string; type: string };
  return {
    seq: row.seq,
    event_id: id,
    type,
    upload_id: row.upload_id,
    status: row.status,
    attempts: row.attempts,
    created_at: new Date(row.created_at).toISOString(),
    next_at: new Date(row.next_at).toISOString(),
    trouble: row.trouble,
  };
}
