import type { Destinations } from '../destinations/destinations.ts';
import type { FileContext } from '../files/files.ts';
import type { ReceiptContext } from '../receipts/context.ts';

/** What the functions of this module need. */
export interface PushContext extends ReceiptContext, FileContext {
  readonly destinations: Destinations;
  /** Ids and names only. */
  readonly log: { warn(fields: Record<string, unknown>, message: string): void };
}
