/** The calls that are measured. Each checks its answer. */
import type { FilePage, UploadRecord } from '@cryolift/protocol/messages';
import { digestHeader } from '../../suites/contract/sample.ts';
import { DATASET_PREFIX } from './fill.ts';

const PART_BYTES = 64 * 1024;
const PART = Buffer.alloc(PART_BYTES, 7);
const HEADERS = { 'content-digest': digestHeader(PART), 'content-length': String(PART_BYTES) };

export interface Client {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasRecords: boolean;
}

type Call = () => Promise<unknown>;

/** One of 10,000 files. */
function datasetPath({ hasRecords }: Client): string {
  return `/datasets/${DATASET_PREFIX}${hasRecords ? 1 : 0}`;
}

export const CALLS: Readonly<Record<string, (client: Client) => Promise<Call>>> = {
  'list of files': async (client) => () => get(client, '/files?limit=50'),
  'list of files, a later page': async (client) => {
    const path = await findLaterPage(client);
    return () => get(client, path);
  },
  'first page of the library': async (client) => () => get(client, '/files?sort=created_at&limit=50'),
  'sorted by size': async (client) => () => get(client, '/files?sort=size&limit=50'),
  'sorted by name': async (client) => () => get(client, '/files?sort=filename&limit=50'),
  'search, a rare word': async (client) => () => get(client, '/files?q=movie-123456&limit=50'),
  'search, a word that none has': async (client) => () => get(client, '/files?q=zzqqzz&limit=50'),
  'search, a common word': async (client) => () => get(client, '/files?q=movie&limit=50'),
  'search, two common words': async (client) => () => get(client, '/files?q=ribosome%20krios-2&limit=50'),
  'search, two common words, by size': async (client) => () => get(client, '/files?q=movie%20krios&sort=size&limit=50'),
  'search, never together': async (client) => () => get(client, '/files?q=krios-1%20krios-2&limit=50'),
  'search, a common and a rare word': async (client) => () => get(client, '/files?q=movie%20session-42&limit=50'),
  'search, a word of two letters': async (client) => () => get(client, '/files?q=12&limit=50'),
  'search, one letter that none has': async (client) => () => get(client, '/files?q=%C3%A9&limit=50'),
  'search in a folder, by name': async (client) => () =>
    get(client, '/files?q=movie&prefix=session-3/grid-2/&sort=filename&limit=50'),
  'search in many folders, by size': async (client) => () =>
    get(client, '/files?q=ribosome&prefix=session-1&sort=size&limit=50'),
  'kind that none has': async (client) => () => get(client, '/files?kind=volume&limit=50'),
  folders: async (client) => () => get(client, '/files/tree?limit=100'),
  'folders below one': async (client) => () => get(client, '/files/tree?prefix=session-7/'),
  'list of datasets': async (client) => () => get(client, '/datasets?limit=100'),
  'search of datasets': async (client) => () => get(client, '/datasets?q=bi-31&limit=100'),
  'record of a dataset': async (client) => () => get(client, datasetPath(client)),
  'files of a dataset': async (client) => () => get(client, `${datasetPath(client)}/files?limit=50`),
  'files of a dataset, by name': async (client) => () =>
    get(client, `${datasetPath(client)}/files?sort=filename&limit=50`),
  'files of a dataset, a word': async (client) => () => get(client, `${datasetPath(client)}/files?q=movie&limit=50`),
  'folders of a dataset': async (client) => () => get(client, `${datasetPath(client)}/tree`),
  'check of a dataset': async (client) => () => get(client, `${datasetPath(client)}/check`),
  'check of a dataset, extra files': async (client) => () => get(client, `${datasetPath(client)}/check?list=extra`),
  owners: async (client) => () => get(client, '/admin/owners?limit=50'),
  'list of uploads': async (client) => () => get(client, '/uploads?limit=50'),
  'list of open uploads': async (client) => () => get(client, '/uploads?limit=50&status=uploading'),
  'status of an upload': async (client) => {
    const { upload_id } = await open(client);
    return () => get(client, `/uploads/${upload_id}`);
  },
  init: async (client) => async () => {
    const { upload_id } = await open(client);
    await cancel(client, upload_id);
  },
  'init that finds an upload': async (client) => {
    await open(client, { fingerprint: 'the same' });
    return () => open(client, { fingerprint: 'the same' });
  },
  part: async (client) => {
    const { upload_id } = await open(client, { size: 10_000 * PART_BYTES });
    let idx = 0;
    return () => send(client, upload_id, idx++);
  },
  'init, part, complete': async (client) => async () => {
    const { upload_id } = await open(client);
    await send(client, upload_id, 0);
    const { headers } = client;
    await expect(fetch(`${client.url}/uploads/${upload_id}/complete`, { method: 'POST', headers }));
  },
  'limits and use': async (client) => () => get(client, '/limits'),
};

/** The page in the middle of what the owner has; without records the first one. */
async function findLaterPage(client: Client): Promise<string> {
  let path = '/files?limit=200';
  for (let page = 0; client.hasRecords && page < 20; page++) {
    const { next_cursor } = (await get(client, path)) as FilePage;
    if (!next_cursor) break;
    path = `/files?limit=200&cursor=${encodeURIComponent(next_cursor)}`;
  }
  return path.replace('limit=200', 'limit=50');
}

async function open(client: Client, fields: Record<string, unknown> = {}): Promise<UploadRecord> {
  const body = JSON.stringify({ filename: 'a.bin', size: PART_BYTES, part_size: PART_BYTES, ...fields });
  const headers = { ...client.headers, 'content-type': 'application/json' };
  return (await expect(fetch(`${client.url}/uploads/init`, { method: 'POST', headers, body }))) as UploadRecord;
}

async function send(client: Client, id: string, idx: number): Promise<void> {
  const headers = { ...client.headers, ...HEADERS };
  await expect(fetch(`${client.url}/uploads/${id}/part/${idx}`, { method: 'PUT', headers, body: PART }));
}

async function cancel(client: Client, id: string): Promise<void> {
  await expect(fetch(`${client.url}/uploads/${id}`, { method: 'DELETE', headers: client.headers }));
}

async function get({ url, headers }: Client, path: string): Promise<unknown> {
  return await expect(fetch(`${url}${path}`, { headers }));
}

async function expect(answering: Promise<Response>): Promise<unknown> {
  const answer = await answering;
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url} was answered ${answer.status}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}
