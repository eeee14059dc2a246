/**
 * What a route says in the OpenAPI document beside the schemas that it is validated with. Nothing here is validated.
 */
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { Scope } from '@cryolift/protocol/scopes';
import type { TSchema } from 'typebox';
import type { RequestHeader, ResponseHeader } from './headers.ts';

/** Of calls that write to the storage. */
export const STORAGE_ERRORS = ['storage_unavailable', 'insufficient_storage'] as const;
/** Of calls on one upload: its parts may have to be verified again first, which may write its staging file. */
export const UPLOAD_ERRORS = ['upload_not_found', ...STORAGE_ERRORS] as const;

export interface Documented {
  /** Codes that this call answers beside those that follow from its route: see `failures.ts`. */
  readonly errors?: readonly ErrorCode[];
  /** Headers that it reads. */
  readonly headers?: readonly RequestHeader[];
  /** Headers of its successes beside those of every answer, by status. */
  readonly responseHeaders?: Readonly<Record<number, readonly ResponseHeader[]>>;
  /** A scope that it needs beside that of its route. */
  readonly scope?: Scope;
  /** Parameters of its path, where the handler checks more than the schema does. */
  readonly params?: Readonly<Record<string, TSchema>>;
  /** Fields of its body, where the handler checks more than the schema does. */
  readonly body?: Readonly<Record<string, TSchema>>;
}

declare module 'fastify' {
  interface FastifySchema {
    documented?: Documented;
  }
}
