/** The errors of the SDK, by who can fix them. */
import type { ErrorCode, ErrorEnvelope } from '@cryolift/protocol/errors';

/** The server's answer was an error envelope. */
export class ServerError extends Error {
  readonly status: number;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly requestId: string;
  readonly details: Record<string, unknown>;
  /** From Retry-After, seconds; null without one. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number, envelope: ErrorEnvelope, retryAfterSeconds: number | null) {
    super(envelope.message);
    this.name = 'ServerError';
    this.status = status;
    this.code = envelope.code;
    this.hint = envelope.hint;
    this.retryable = envelope.retryable;
    this.requestId = envelope.request_id;
    this.details = envelope.details ?? {};
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No whole reply came: refused, reset, stalled, not resolvable. What the server did is unknown; it may answer later. */
export class ConnectionError extends Error {
  readonly hint = 'Check that the server runs and can be reached; what was stored is kept.';
  /** This machine has no network, or none that leads to the server: nothing was sent. */
  readonly offline: boolean;
  /** No address is known by the server's name: the network's fault, or the name's. */
  readonly nameUnknown: boolean;

  constructor(message: string, options: ErrorOptions & { offline?: boolean; nameUnknown?: boolean } = {}) {
    super(message, options);
    this.name = 'ConnectionError';
    this.nameUnknown = options.nameUnknown ?? false;
    this.offline = options.offline ?? this.nameUnknown;
  }
}

/** What answered is no Cryolift server, and will not become one. */
export class ForeignReplyError extends Error {
  readonly hint = 'Check the URL of the server, and what a proxy in between lets through (size of requests, paths).';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ForeignReplyError';
  }
}

/**
 * An answer of a proxy: the server is not reachable now, or the proxy does not allow the request.
 *
 * @param from what was asked, as far as it is known.
 */
export function foreignReply(status: number, from: string | undefined, cause?: unknown): Error {
  const why = status === 407 ? ': a proxy asks for a name and a password' : '';
  const whose = from === undefined ? '' : ` of ${from}`;
  return refusedBetween(status, `the answer (${status})${whose} is not one of a Cryolift server${why}`, cause);
}

/** @returns an error that passes, or one that does not, by the status that was answered by something in between. */
export function refusedBetween(status: number, message: string, cause?: unknown): ConnectionError | ForeignReplyError {
  if (status >= 500 || status === 408 || status === 429) return new ConnectionError(message, { cause });
  return new ForeignReplyError(message, { cause });
}

export type SourceFault = 'source_changed' | 'source_unreadable' | 'integrity' | 'metadata_differs';

/** The local file is not what it was, cannot be read, or is not what the server published. */
export class SourceError extends Error {
  readonly code: SourceFault;
  readonly hint: string;

  constructor(code: SourceFault, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceError';
    this.code = code;
    this.hint = hint;
  }
}

export type TargetFault = 'file_exists' | 'download_running' | 'name_not_possible' | 'disk_full' | 'target_unwritable';

/** What comes from the server cannot be stored where it was wanted. What has come already is kept, unless the message says otherwise. */
export class TargetError extends Error {
  readonly code: TargetFault;
  readonly hint: string;

  constructor(code: TargetFault, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TargetError';
    this.code = code;
    this.hint = hint;
  }
}
