/** Receipts of datasets: read, issue, take that of another server; and the keys that sign them. */
import { DatasetRecord, ReceiptDocument, ReceiptKeys } from '@cryolift/protocol/messages';
import { getDataset } from '../../datasets/datasets.ts';
import { issueNow } from '../../receipts/issue.ts';
import { readReceipt, takePreviousReceipt } from '../../receipts/receipts.ts';
import { DatasetParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { accessibleTo } from './datasets.ts';

/** About 200,000 files. */
const MAX_RECEIPT_BYTES = 100 * 1024 * 1024;
const tags = ['datasets'];
const params = DatasetParams;
/** The text is sent as it was signed. */
const DOCUMENT = { content: { 'application/json': { schema: ReceiptDocument } } };

export function registerReceipts(app: Routes, services: Services): void {
  registerKeys(app, services);
  registerShow(app, services);
  registerIssue(app, services);
  registerPrevious(app, services);
}

/** Anybody may verify a receipt. */
function registerKeys(app: Routes, { receipts }: Services): void {
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
    async () => ({ keys: await receipts.receiptKeys.published() }),
  );
}

function registerShow(app: Routes, { receipts }: Services): void {
  app.get(
    '/datasets/:dataset_id/receipt',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'getReceipt',
        tags,
        summary: 'The newest receipt of a dataset, signed: all files with their digests.',
        params,
        response: { 200: DOCUMENT },
        documented: { errors: ['dataset_not_found', 'receipt_not_found', 'receipt_not_ready'] },
      },
    },
    async ({ caller, params: { dataset_id } }, reply) =>
      await reply
        .type('application/json')
        .serializer(String)
        .send((await readReceipt(receipts, dataset_id, accessibleTo(caller))) as never),
  );
}

function registerIssue(app: Routes, { receipts }: Services): void {
  app.post(
    '/datasets/:dataset_id/receipt',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'issueReceipt',
        tags,
        summary: 'Issues a receipt of what the dataset has now.',
        params,
        response: { 201: DOCUMENT },
        documented: { errors: ['dataset_not_found', 'receipt_not_ready'] },
      },
    },
    async ({ caller, params: { dataset_id } }, reply) => {
      await getDataset(receipts, dataset_id, accessibleTo(caller));
      const text = await issueNow(receipts, dataset_id);
      return await reply
        .code(201)
        .type('application/json')
        .serializer(String)
        .send(text as never);
    },
  );
}

function registerPrevious(app: Routes, { receipts }: Services): void {
  app.put(
    '/datasets/:dataset_id/receipt/previous',
    {
      config: { scope: 'uploads:write' },
      bodyLimit: MAX_RECEIPT_BYTES,
      schema: {
        operationId: 'takeReceipt',
        tags,
        summary: 'Takes the receipt of the server that had the files before: later receipts name it as `previous`.',
        params,
        body: ReceiptDocument,
        response: { 200: DatasetRecord },
        documented: { errors: ['dataset_not_found', 'receipt_invalid'] },
      },
    },
    async ({ caller, params: { dataset_id }, body }) => {
      await takePreviousReceipt(receipts, dataset_id, accessibleTo(caller), body);
      return await getDataset(receipts, dataset_id, accessibleTo(caller));
    },
  );
}
