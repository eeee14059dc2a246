/**
 * `Upload` of AWS's library, as its documentation has it: `node lib-storage.js FILE ENDPOINT BUCKET KEY CONCURRENCY CHECKSUM`.
 * Credentials come from the environment. CHECKSUM: `CRC32` (what the library chooses by itself) or `SHA256`.
 */
import { createReadStream } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

const [path, endpoint, bucket, key, concurrency, checksum] = process.argv.slice(2);
const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
const partSize = 8 * 1024 * 1024;
const upload = new Upload({
  client,
  queueSize: Number(concurrency),
  partSize,
  params: {
    Bucket: bucket,
    Key: key,
    Body: createReadStream(path, { highWaterMark: partSize }),
    ChecksumAlgorithm: checksum,
  },
});
await upload.done();
client.destroy();
