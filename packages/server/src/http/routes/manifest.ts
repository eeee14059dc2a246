/** A list of downloads, as lines of JSON or as an input file of aria2. */
import { Readable } from 'node:stream';
import { toHex } from '@cryolift/protocol/digest';
import { type ManifestEntry, ManifestQuery } from '@cryolift/protocol/messages';
import { Type } from 'typebox';
import { getDataset } from '../../datasets/datasets.ts';
import { inDataset, toLibraryQuery } from '../../files/library.ts';
import { listDownloads, safePathOf } from '../../files/manifest.ts';
import type { StoredFile } from '../../files/stored-file.ts';
import { ownerOf } from '../auth/caller.ts';
import { publicBase } from '../public-url.ts';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { accessibleTo } from './datasets.ts';
import { createSigner } from './sign.ts';

const TYPES = { jsonl: 'application/jsonl', aria2: 'text/plain; charset=utf-8' } as const;
const LINES = {
  content: {
    'application/jsonl': { schema: Type.Any({ description: 'One `ManifestEntry` in each line.' }) },
    'text/plain': { schema: Type.String({ description: 'For `aria2c --input-file`.' }) },
  },
};

export function registerManifest(app: Routes, services: Services): void {
  app.get(
    '/files/manifest',
    {
      config: { scope: 'files:read', isLong: true, isStreamed: true },
      schema: {
        operationId: 'listDownloads',
        tags: ['files'],
        summary: 'Path, size, digest and URL of all files that match, to download them one by one.',
        querystring: ManifestQuery,
        response: { 200: LINES },
        documented: { errors: ['dataset_not_found'] },
      },
    },
    async (request, reply) => {
      const { caller } = request;
      const { format = 'jsonl', expires_in, dataset_id, ...filters } = request.query;
      const asked = { ...filters, sort: 'created_at', order: 'asc' } as const;
      const query =
        dataset_id === undefined
          ? toLibraryQuery(ownerOf(caller), asked)
          : inDataset(await getDataset(services.uploads, dataset_id, accessibleTo(caller)), asked);
      const print =
        format === 'aria2' ? await createAria2(services, request, expires_in) : createJson(services, request);
      const batches = listDownloads(services.uploads, query);
      return await reply.type(TYPES[format]).send(Readable.from(printAll(batches, print), { objectMode: false }));
    },
  );
}

type Request = Parameters<typeof createSigner>[1];
type Print = (file: StoredFile) => string;

/** The text of each file, a batch at a time. */
export async function* printAll(batches: AsyncIterable<StoredFile[]>, print: Print): AsyncGenerator<string> {
  for await (const files of batches) if (files.length > 0) yield files.map(print).join('');
}

function createJson({ options }: Services, request: Request): Print {
  const base = publicBase(request, options.publicUrl);
  return (file) => printJson(toEntry(file, `${base}${contentPath(file)}`));
}

/** @param url of its content. */
export function toEntry(file: StoredFile, url: string): ManifestEntry {
  const { id: file_id, sizeBytes: size, record } = file;
  return { file_id, path: safePathOf(file), size, sha256: record.sha256, url };
}

/** A line of JSON. */
export function printJson(entry: ManifestEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** URLs that need no token, each with its options in the lines that follow. */
async function createAria2(services: Services, request: Request, expiresIn: number | undefined): Promise<Print> {
  const { sign } = await createSigner(services, request, expiresIn);
  return (file) => printAria2(file, sign({ method: 'GET', path: contentPath(file), lengthBytes: null }));
}

/** Lines of an input file of aria2. */
export function printAria2(file: StoredFile, url: string): string {
  const digest = file.sha256 ? `  checksum=sha-256=${toHex(file.sha256)}\n` : '';
  return `${url}\n  out=${safePathOf(file)}\n${digest}`;
}

export function contentPath({ id }: StoredFile): string {
  return `/files/${id}/content`;
}
