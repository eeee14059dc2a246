/** The request to append a body to an upload. */
import type { BodyChecksum } from './body-checksum.ts';

export interface AppendRequest {
  readonly uploadId: string;
  /** Where the body begins in the upload, as the client says, bytes. */
  readonly offset: number;
  /** Content-Length; null: not known. */
  readonly lengthBytes: number | null;
  /** Of the body; null: none was declared. */
  readonly checksum: BodyChecksum | null;
  readonly requestId: string;
}
