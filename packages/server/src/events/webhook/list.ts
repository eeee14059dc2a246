/** Lists the events that the webhook has not accepted, for administrators. */
import { UploadError } from '@cryolift/protocol/errors';
import type { Delivery, DeliveryPage } from '@cryolift/protocol/messages';
import type { Database } from '../../db/database.ts';
import * as db from '../../db/deliveries.ts';
import { toPage } from '../../db/page.ts';
import type { DeliveryRow } from '../../db/tables.ts';

interface DeliveryContext {
  readonly db: Database;
  now(): number;
}

/** Oldest first. */
export async function listDeliveries(
  context: DeliveryContext,
  query: { status?: Delivery['status'] | undefined; cursor?: string | undefined; limit: number },
): Promise<DeliveryPage> {
  const after = query.cursor === undefined ? 0 : Number(query.cursor);
  const rows = await db.listDeliveries(context.db, { status: query.status, after, limit: query.limit + 1 });
  const page = toPage(rows, query.limit, ({ seq }) => String(seq));
  return { ...page, items: page.items.map(toDelivery) };
}

/**
 * Schedules an event to be sent again now. @throws UploadError `not_found` when it was accepted meanwhile, or never
 * existed.
 */
export async function retryDelivery(context: DeliveryContext, seq: number): Promise<Delivery> {
  const row = await db.reviveDelivery(context.db, seq, context.now());
  if (!row) throw new UploadError('not_found', `No event ${seq} waits for the webhook.`);
  return toDelivery(row);
}

export function toDelivery(row: DeliveryRow): Delivery {
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
