/** Receipts of a server that exists in tests only. */
import type { ReceiptDocument } from '@cryolift/protocol/messages';
import { makeFile, Signer } from '../../../packages/protocol/src/receipt/test-receipt.ts';

/** A receipt that is right. @param count of files that are nowhere. */
export async function makeReceipt(count = 0): Promise<ReceiptDocument> {
  return await new Signer().issue(Array.from({ length: count }, (_, at) => makeFile(`${at}.mrc`, at)));
}
