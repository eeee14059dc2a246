/** An S3-compatible service that runs for tests. */
export const CREDENTIALS = { accessKeyId: 'testing', secretAccessKey: 'only-for-tests' };

export interface RunningService {
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** As `CRYOLIFT_STORAGE_URL` has it. */
  storageUrl(prefix: string): string;
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
}
