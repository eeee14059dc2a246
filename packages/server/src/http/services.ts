/** The services that the routes use. */

import type { Limits, SweepReport, Swept } from '@cryolift/protocol/messages';
import type { Previews } from '../analysis/previews.ts';
import type { Sendfile } from '../config/values.ts';
import type { EventContext } from '../events/follow.ts';
import type { Streams } from '../events/streams.ts';
import type { Scrub } from '../files/scrub.ts';
import type { AuditLog } from '../ops/audit.ts';
import type { Logger } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Traces } from '../ops/traces.ts';
import type { PushContext } from '../pushes/context.ts';
import type { ReceiptContext } from '../receipts/context.ts';
import type { UploadContext } from '../uploads/context.ts';
import type { SigningKeys } from './auth/signing-keys.ts';
import type { Authenticate } from './auth/tokens.ts';

export interface Services {
  readonly uploads: UploadContext;
  readonly previews: Previews;
  readonly events: EventContext;
  readonly streams: Streams;
  readonly authenticate: Authenticate;
  /** Origins of the identity provider that the page calls. They are more once the provider has answered. */
  signInOrigins(): readonly string[];
  /** The secret of HS256 tokens, which clients on this machine may have, too; null: there is none. */
  readonly tokenSecret: string | null;
  readonly signingKeys: SigningKeys;
  readonly receipts: ReceiptContext;
  readonly pushes: PushContext;
  readonly audit: AuditLog;
  readonly scrub: Scrub;
  readonly sweep: SweepService;
  /** An event that was given up has to be sent again. */
  wakeWebhook(): void;
  readonly metrics: Metrics;
  /** Null when no collector is set. */
  readonly traces: Traces | null;
  readonly log: Logger;
  readonly limits: Limits;
  readonly version: string;
  /** @throws UploadError `database_unavailable` or `storage_unavailable`. */
  checkReady(): Promise<void>;
  readonly options: HttpOptions;
}

/** Runs one round of housekeeping at once. It may take longer than a client waits. */
interface SweepService {
  /** Joins a requested round that is under way. */
  run(): Promise<{ kind: 'done'; swept: Swept } | { kind: 'running'; report: SweepReport }>;
  /** The report of the last requested round. */
  report(): SweepReport;
}

interface HttpOptions {
  readonly trustProxy: number | readonly string[];
  readonly publicUrl: string | null;
  readonly corsOrigins: readonly string[];
  readonly partOrigins: readonly string[];
  /** Requests per second of one caller. */
  readonly rateLimit: number;
  readonly bodyIdleTimeoutMs: number;
  readonly serveMetrics: boolean;
  /** Answers of status 104 are sent. */
  readonly interimAnswers: boolean;
  /** How the server asks a proxy on the same disk to send files; null: the server sends them. */
  readonly sendfile: Sendfile | null;
  /** Folder of the one-file programs that `GET /install` offers; null: none. */
  readonly distDir: string | null;
  /** Null: no webhook is set. */
  readonly webhook: object | null;
  /** IETF resumable uploads take appends in parallel. */
  readonly parallelAppends: boolean;
}
