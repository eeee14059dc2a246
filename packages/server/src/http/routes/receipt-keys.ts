import { ReceiptKeys } from '@cryolift/protocol/messages';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

/** Anybody may verify a receipt. */
export function registerReceiptKeys(app: Routes, { receiptKeys }: Services): void {
  app.get(
    '/.well-known/cryolift-receipt-keys.json',
    {
      schema: {
        operationId: 'getReceiptKeys',
        tags: ['operations'],
        summary: 'The public keys that sign receipts: a JWK set (RFC 7517, RFC 8037).',
        response: { 200: ReceiptKeys },
        documented: { errors: ['storage_unavailable', 'database_unavailable'] },
      },
    },
    async () => ({ keys: await receiptKeys.published() }),
  );
}
