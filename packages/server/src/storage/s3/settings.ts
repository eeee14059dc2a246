/** Where a bucket is, and how it is reached. */
export interface S3Settings {
  readonly bucket: string;
  /** Of all keys, without slashes at its ends; '': none. */
  readonly prefix: string;
  /** Of the service; null: that of AWS in the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** The bucket is named in the path of URLs, not in the host. */
  readonly pathStyle: boolean;
  /** Null: the chain of AWS (environment, files, instance metadata). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}
