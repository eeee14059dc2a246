import type { DatasetContext } from '../datasets/context.ts';
import type { ReceiptKeys } from './receipt-keys.ts';

/** What the functions of this module need. */
export interface ReceiptContext extends DatasetContext {
  readonly receiptKeys: ReceiptKeys;
  /** URL of the server, or its name. */
  readonly issuer: string;
}
