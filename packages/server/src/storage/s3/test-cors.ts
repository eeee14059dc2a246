/** Which pages may send requests to a bucket, for tests. */
import { type CORSRule, PutBucketCorsCommand } from '@aws-sdk/client-s3';
import { Bucket } from './bucket.ts';
import type { S3Settings } from './settings.ts';

/** Replaces all rules of the bucket by one. */
export async function setCorsRule(
  settings: Pick<S3Settings, 'bucket' | 'endpoint' | 'region' | 'credentials'>,
  rule: CORSRule,
): Promise<void> {
  const bucket = new Bucket({ ...settings, prefix: '', pathStyle: true });
  const CORSConfiguration = { CORSRules: [rule] };
  await bucket.client.send(new PutBucketCorsCommand({ Bucket: bucket.name, CORSConfiguration }));
  bucket.close();
}
