/** What the routes work with. */
import type { Limits } from '@cryolift/protocol/messages';
import type { EventRoom } from '../events/follow.ts';
import type { Streams } from '../events/streams.ts';
import type { Logger } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { UploadRoom } from '../uploads/room.ts';
import type { Authenticate } from './caller.ts';

export interface Services {
  readonly uploads: UploadRoom;
  readonly events: EventRoom;
  readonly streams: Streams;
  readonly authenticate: Authenticate;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly limits: Limits;
  readonly version: string;
  /** @throws UploadError `database_unavailable` or `storage_unavailable`. */
  checkReady(): Promise<void>;
  readonly options: HttpOptions;
}

interface HttpOptions {
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly trustProxy: boolean;
  readonly publicUrl: string | null;
  readonly corsOrigins: readonly string[];
  /** Requests per second and caller. */
  readonly rateLimit: number | null;
  readonly bodyIdleTimeoutMs: number;
  readonly serveMetrics: boolean;
}
