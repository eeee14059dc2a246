/**
 * An upload by a client that openapi-typescript has made: `schema.ts` lies beside this file when it is compiled and run.
 * Prints what the server says of the file, as JSON.
 */
import { createHash } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.ts';

type Upload = components['schemas']['Upload'];
type ApiError = components['schemas']['Error'];

const [url = '', token = ''] = process.argv.slice(2);
const bytes = Buffer.alloc(200_000, 'cryo-EM');
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

/** All calls have the same error envelope. */
function unwrap<Data>({ data, error }: { data?: Data; error?: ApiError }): Data {
  if (data === undefined) throw new Error(error ? `${error.code}: ${error.message}` : 'no answer');
  return data;
}

const upload: Upload = unwrap(
  await client.POST('/uploads/init', {
    params: { header: { 'Idempotency-Key': 'typescript-1' } },
    body: { filename: 'typescript.bin', size: bytes.length, part_size: 65_536 },
  }),
);
for (let idx = 0; idx < upload.part_count; idx++) {
  const offset = idx * upload.part_size;
  const part = bytes.subarray(offset, offset + upload.part_size);
  const digest = createHash('sha256').update(part).digest('base64');
  const receipt = unwrap(
    await client.PUT('/uploads/{upload_id}/part/{idx}', {
      params: {
        path: { upload_id: upload.upload_id, idx },
        header: { 'Content-Digest': `sha-256=:${digest}:`, 'Upload-Offset': offset },
      },
      headers: { 'Content-Type': 'application/octet-stream' },
      body: '',
      bodySerializer: () => part,
    }),
  );
  if (receipt.part !== idx) throw new Error(`part ${receipt.part} was stored instead of ${idx}`);
}
const path = { upload_id: upload.upload_id };
let file = unwrap(await client.POST('/uploads/{upload_id}/complete', { params: { path } }));
while (!('file_id' in file && 'parts_sha256' in file)) {
  file = unwrap(await client.POST('/uploads/{upload_id}/complete', { params: { path } }));
}
const content = { path: { file_id: file.file_id }, header: { Range: 'bytes=100-299' } };
const { data: range, response } = await client.GET('/files/{file_id}/content', {
  params: content,
  parseAs: 'arrayBuffer',
});
const { error } = await client.GET('/files/{file_id}', { params: { path: { file_id: 'none' } } });
console.log(
  JSON.stringify({
    sha256: file.sha256,
    expected: createHash('sha256').update(bytes).digest('hex'),
    status: response.status,
    range: Buffer.from(range ?? new ArrayBuffer(0)).equals(bytes.subarray(100, 300)),
    refusal: error?.code,
  }),
);
