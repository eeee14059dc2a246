/** Which errors a call can answer, and how the OpenAPI document describes them. */
import { ERROR_CODES, ERRORS, type ErrorCode } from '@cryolift/protocol/errors';
import type { FastifyContextConfig } from 'fastify';
import { type ResponseHeader, refer } from './headers.ts';

export interface Call {
  readonly method: string;
  readonly config: Pick<FastifyContextConfig, 'scope' | 'identifies' | 'signable'>;
  readonly hasBody: boolean;
  /** Of the call itself. */
  readonly errors: readonly ErrorCode[];
}

/** What a client finds beside the envelope. */
const HEADERS: Readonly<Record<number, readonly ResponseHeader[]>> = {
  401: ['WWW-Authenticate'],
  416: ['Content-Range'],
  429: ['Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  503: ['Retry-After'],
  507: ['Retry-After'],
};

/** Every code that the call can answer, in the order of the table. */
export function codesOf({ method, config, hasBody, errors }: Call): ErrorCode[] {
  const codes = new Set<ErrorCode>(errors);
  const add = (...more: ErrorCode[]) => {
    for (const code of more) codes.add(code);
  };
  // A query parameter that the call does not have, and what `app.ts` holds for every call.
  add('invalid_request', 'rate_limited', 'internal', 'shutting_down', 'overloaded');
  if (hasBody) add('body_timeout');
  if (config.scope || config.identifies) add('unauthenticated', 'token_expired', 'database_unavailable');
  if (config.scope) add('forbidden');
  if (config.signable) add('signature_invalid', 'signature_expired');
  // `refuseEntityTags`.
  if (config.scope && method !== 'GET' && method !== 'HEAD') add('precondition_failed');
  return ERROR_CODES.filter((code) => codes.has(code));
}

/** @returns by status, the codes that are answered with it. */
export function byStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  return Map.groupBy(codes, (code) => ERRORS[code].status);
}

/** Under which name `components.responses` has the answer for these codes. */
export function nameOf(codes: readonly ErrorCode[]): string {
  return codes.map(toPascalCase).join('Or');
}

/** @param codes all of one status. @param error the schema of the envelope. */
export function describeFailure(status: number, codes: readonly ErrorCode[], error: object): object {
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].hint}`).join(' '),
    headers: refer(['X-Request-Id', ...(HEADERS[status] ?? [])]),
    content: { 'application/json': { schema: error } },
    'x-codes': codes,
  };
}

function toPascalCase(code: string): string {
  return code.replace(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase());
}
