/** An S3-compatible service that runs for tests. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

export const CREDENTIALS = { accessKeyId: 'testing', secretAccessKey: 'only-for-tests' };

export interface RunningService {
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** As `CRYOLIFT_STORAGE_URL` has it. */
  storageUrl(prefix: string): string;
  /** The settings of a server that stores there. */
  settings(prefix: string): Readonly<Record<string, string>>;
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
}

const BUCKET = 'cryolift';
const REGION = 'us-east-1';

/** One that runs already, started by a file of this folder. */
export function serviceAt(endpoint: string): Omit<RunningService, 'stop'> {
  const query = new URLSearchParams({ endpoint, region: REGION, path_style: 'true' });
  const storageUrl = (prefix: string) => `s3://${BUCKET}/${prefix}?${query}`;
  return {
    bucket: BUCKET,
    endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    storageUrl,
    settings: (prefix) => ({
      CRYOLIFT_STORAGE_URL: storageUrl(prefix),
      CRYOLIFT_S3_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      CRYOLIFT_S3_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    }),
  };
}

/**
 * Makes the bucket of a service that starts, which may answer before it can make one. @returns whether it is there.
 */
export async function makeBucket({
  endpoint,
  region,
  credentials,
  bucket,
}: Omit<RunningService, 'stop'>): Promise<boolean> {
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    return true;
  } catch (error) {
    return (error as Error).name === 'BucketAlreadyOwnedByYou';
  } finally {
    client.destroy();
  }
}
