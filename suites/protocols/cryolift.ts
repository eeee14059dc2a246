/** A Cryolift server that accepts any file, and the file that came of an upload, by the native API. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { eventually } from '../contract/upload.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { exchange, type Fields } from './exchange.ts';

export interface CryoliftUnderTest {
  readonly server: OwnServer;
  readonly url: string;
  /** Authorization of one owner. */
  readonly headers: Fields;
  readonly token: string;
  /** @returns the record of the file that the upload at this URL became, with its SHA-256. */
  fileOf(uploadUrl: string): Promise<FileRecord>;
  /** @returns its bytes. */
  read(uploadUrl: string): Promise<Buffer>;
  listFiles(): Promise<FileRecord[]>;
  stop(): Promise<void>;
}

/** Limits of rate are far away: checks send more than a person does. */
const SETTINGS: Settings = { CRYOLIFT_ACCEPT: '*', CRYOLIFT_RATE_LIMIT: '1000000' };

export async function findCryolift(settings: Settings = {}): Promise<CryoliftUnderTest> {
  const server = await startServer({ ...SETTINGS, ...settings });
  const token = server.token({ sub: `owner-${randomUUID()}` });
  const headers = { authorization: `Bearer ${token}` };
  const get = async (path: string) => await exchange({ method: 'GET', url: `${server.url}${path}`, headers });
  const json = async <Message>(path: string) => {
    const { status, body } = await get(path);
    assert.equal(status, 200, `GET ${path} was answered ${status} ${body}`);
    return JSON.parse(body.toString()) as Message;
  };
  const fileOf = async (uploadUrl: string) => {
    const id = new URL(uploadUrl).pathname.split('/').at(-1);
    const { file_id } = await eventually(
      () => json<UploadRecord>(`/uploads/${id}`),
      ({ status }) => !['pending', 'uploading', 'verifying'].includes(status),
    );
    assert.ok(file_id, `the upload ${id} became no file`);
    return await eventually(
      () => json<FileRecord>(`/files/${file_id}`),
      ({ sha256 }) => sha256 !== null,
    );
  };
  return {
    server,
    get url() {
      return server.url;
    },
    headers,
    token,
    fileOf,
    async read(uploadUrl) {
      const { file_id } = await fileOf(uploadUrl);
      return (await get(`/files/${file_id}/content`)).body;
    },
    listFiles: async () => (await json<{ items: FileRecord[] }>('/files?limit=1000')).items,
    stop: () => server.discard(),
  };
}
