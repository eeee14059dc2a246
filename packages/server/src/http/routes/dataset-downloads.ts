/** Shares a dataset: a signed URL that lists its files, with URLs that expire when it does. */
import { Readable } from 'node:stream';
import { type DatasetRecord, type ManifestEntry, SignedDownload, SignFileRequest } from '@cryolift/protocol/messages';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { getDataset } from '../../datasets/datasets.ts';
import { inDataset } from '../../files/library.ts';
import { listDownloads } from '../../files/manifest.ts';
import type { StoredFile } from '../../files/stored-file.ts';
import { DatasetParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { accessibleTo } from './datasets.ts';
import { renderEnd, renderRows, renderStart, STYLE } from './downloads-page.ts';
import { pageHeaders } from './html.ts';
import { contentPath, printAll, printAria2, printJson, toEntry } from './manifest.ts';
import { createSigner, createSignerUntil } from './sign.ts';

/** Of the URLs that a caller with a token gets. */
const DEFAULT_MS = 3_600_000;
/** The URL permits the downloads. */
const PAGE_HEADERS = { ...pageHeaders(STYLE), 'cache-control': 'no-store', 'x-robots-tag': 'noindex' };
const TYPES = {
  'text/plain': 'text/plain; charset=utf-8',
  'text/html': 'text/html; charset=utf-8',
  'application/jsonl': 'application/jsonl',
} as const;
type MediaType = keyof typeof TYPES;
const LISTS = {
  content: {
    'text/plain': { schema: Type.String({ description: 'For `aria2c --input-file`.' }) },
    'text/html': { schema: Type.String({ description: 'A page with links, for browsers.' }) },
    'application/jsonl': { schema: Type.Any({ description: 'One `ManifestEntry` in each line.' }) },
  },
};

export function registerDatasetDownloads(app: Routes, services: Services): void {
  registerSign(app, services);
  registerList(app, services);
}

function registerSign(app: Routes, services: Services): void {
  app.post(
    '/datasets/:dataset_id/sign',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'signDataset',
        tags: ['datasets'],
        summary: 'A signed URL of the list of its files, with which anybody can download them.',
        params: DatasetParams,
        body: SignFileRequest,
        response: { 200: SignedDownload },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async (request) => {
      const { caller, params, body } = request;
      const { dataset_id } = await getDataset(services.uploads, params.dataset_id, accessibleTo(caller));
      const { expires_at, sign } = await createSigner(services, request, body?.expires_in);
      const url = sign({ method: 'GET', path: `/datasets/${dataset_id}/downloads`, lengthBytes: null });
      return { expires_at, method: 'GET' as const, url, headers: {} };
    },
  );
}

function registerList(app: Routes, services: Services): void {
  app.get(
    '/datasets/:dataset_id/downloads',
    {
      config: { scope: 'files:read', signable: true, isLong: true, isStreamed: true },
      schema: {
        operationId: 'listDatasetDownloads',
        tags: ['datasets'],
        summary: 'Path, size, digest and signed URL of all files of a dataset.',
        params: DatasetParams,
        response: { 200: LISTS },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async (request, reply) => {
      const { caller, params } = request;
      const dataset = await getDataset(services.uploads, params.dataset_id, accessibleTo(caller));
      const type = chooseType(request.headers.accept);
      reply.headers(PAGE_HEADERS).header('vary', 'Accept').type(TYPES[type]);
      return await reply.send(Readable.from(await printList(services, request, dataset, type), { objectMode: false }));
    },
  );
}

/** As the client asks for it by name; a list for aria2 otherwise, which is also easy to read. */
function chooseType(accept = ''): MediaType {
  const asked = accept.split(',').map((item) => item.split(';', 1)[0]?.trim().toLowerCase());
  return asked.find((type): type is MediaType => type !== undefined && type in TYPES) ?? 'text/plain';
}

/** The URLs in it expire with the URL of the request, if that is signed. */
async function printList(
  services: Services,
  request: FastifyRequest,
  dataset: DatasetRecord,
  type: MediaType,
): Promise<AsyncIterable<string>> {
  const { caller } = request;
  const expiresAtMs = caller.kind === 'signed' ? caller.expiresAtMs : services.uploads.now() + DEFAULT_MS;
  const { expires_at, sign } = await createSignerUntil(services, request, expiresAtMs);
  const query = inDataset(dataset, { sort: 'created_at', order: 'asc' });
  const batches = listDownloads(services.uploads, query);
  const urlOf = (file: StoredFile) => sign({ method: 'GET', path: contentPath(file), lengthBytes: null });
  if (type === 'text/plain') return printAll(batches, (file) => printAria2(file, urlOf(file)));
  const entryOf = (file: StoredFile) => toEntry(file, urlOf(file));
  if (type === 'application/jsonl') return printAll(batches, (file) => printJson(entryOf(file)));
  return printPage(dataset, expires_at, batches, entryOf);
}

async function* printPage(
  dataset: DatasetRecord,
  expiresAt: string,
  batches: AsyncIterable<StoredFile[]>,
  entryOf: (file: StoredFile) => ManifestEntry,
): AsyncGenerator<string> {
  yield renderStart(dataset, expiresAt);
  for await (const files of batches) yield renderRows(files.map(entryOf));
  yield renderEnd();
}
