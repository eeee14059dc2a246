/** The errors of the SDK. */
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

/** True for a server that refuses the requests of all callers now: too many requests, or no capacity. */
export function isOverload(status: number): boolean {
  return status === 429 || status === 503;
}

/**
 * No complete reply arrived: refused, reset, stalled, not resolvable. The effect of the request is unknown; a retry may
 * succeed.
 */
export class ConnectionError extends Error {
  readonly hint = 'Check that the server runs and is reachable; stored parts are kept.';
  /** This machine has no network or no route to the server: nothing was sent. */
  readonly offline: boolean;
  /** The name of the server cannot be resolved: a problem of the network or of the name. */
  readonly nameUnknown: boolean;

  constructor(message: string, options: ErrorOptions & { offline?: boolean; nameUnknown?: boolean } = {}) {
    super(message, options);
    this.name = 'ConnectionError';
    this.nameUnknown = options.nameUnknown ?? false;
    this.offline = options.offline ?? this.nameUnknown;
  }
}

/** The answer does not come from a Cryolift server. Retries do not help. */
export class ForeignReplyError extends Error {
  readonly hint = 'Check the URL of the server, and the limits of proxies in between (size of requests, paths).';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ForeignReplyError';
  }
}

/**
 * An answer of a proxy: the server is not reachable now, or the proxy does not allow the request.
 *
 * @param from the peer, if it is known.
 */
export function foreignReply(status: number, from: string | undefined, cause?: unknown): Error {
  const why = status === 407 ? ': a proxy requires a name and a password' : '';
  const whose = from === undefined ? '' : ` of ${from}`;
  return refusedBetween(status, `the answer (${status})${whose} does not come from a Cryolift server${why}`, cause);
}

/** @returns a temporary or a permanent error, by the status of the answer of a proxy. */
export function refusedBetween(status: number, message: string, cause?: unknown): ConnectionError | ForeignReplyError {
  if (status >= 500 || status === 408 || status === 429) return new ConnectionError(message, { cause });
  return new ForeignReplyError(message, { cause });
}

/** `source_in_use`: another program holds the file. */
export type SourceFault = 'source_changed' | 'source_in_use' | 'source_unreadable' | 'integrity' | 'metadata_differs';

/** The local file has changed, cannot be read, or differs from the published file. */
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

/** `target_in_use`: another program holds the file that is to be replaced, or a file of the download. */
export type TargetFault =
  | 'file_exists'
  | 'download_running'
  | 'name_not_possible'
  | 'disk_full'
  | 'target_in_use'
  | 'target_unwritable';

/** A download cannot be stored at its target. Downloaded bytes are kept, unless the message says otherwise. */
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
