/** Checks that apply to the answer of any request. */
import { ERRORS, type ErrorEnvelope } from '@cryolift/protocol/errors';
import { Check, Errors } from 'typebox/schema';
import type { FuzzRequest } from './requests.ts';

export interface FuzzAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Of a piece of a path, characters. */
const MAX_PIECE = 256;
const INSIDES = /\bat \S+ \(|node:internal|node_modules|\.ts:\d+|SqliteError|SELECT |UPDATE |\/home\/|\/tmp\/|\/work\//;

/** @returns what is wrong with an answer; null when nothing is. */
export function findFault(request: FuzzRequest, answer: FuzzAnswer): string | null {
  if (answer.status >= 500) return `it answered ${answer.status}: ${answer.body.toString().slice(0, 500)}`;
  return checkForm(request, answer);
}

/** @returns how an answer differs from the table of errors or from the OpenAPI document; null when it does not. */
export function checkForm(
  { operation, path }: Pick<FuzzRequest, 'operation' | 'path'>,
  { status, headers, body }: FuzzAnswer,
): string | null {
  const text = body.toString();
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  const fault = status >= 400 && operation.method !== 'HEAD' ? judgeRefusal(status, type, text) : null;
  // A path that was filled with something odd may be another call, or none.
  if (fault || !isSamePlace(operation.path, path)) return fault;
  const documented = operation.responses[status];
  if (!documented) return `${status} is not in the document: ${text.slice(0, 300)}`;
  if (operation.method === 'HEAD' || body.length === 0) return null;
  const { code } = status >= 400 ? (JSON.parse(text) as ErrorEnvelope) : {};
  if (code && !documented['x-codes']?.includes(code)) return `${code} is not in the document`;
  const schema = documented.content?.[type]?.schema;
  if (!schema && !documented.content?.['*/*']) return `${type} of ${status} is not in the document`;
  if (!schema || type !== 'application/json') return null;
  const value: unknown = JSON.parse(text);
  if (Check(schema, value)) return null;
  return `the answer is not as documented: ${JSON.stringify(Errors(schema, value)).slice(0, 300)} in ${text.slice(0, 300)}`;
}

function judgeRefusal(status: number, type: string, text: string): string | null {
  if (type !== 'application/json') return `a refusal of type ${type}`;
  const envelope = JSON.parse(text) as ErrorEnvelope;
  if (ERRORS[envelope.code]?.status !== status) return `code ${envelope.code} with status ${status}`;
  for (const field of ['message', 'hint', 'request_id'] as const) {
    if (typeof envelope[field] !== 'string' || envelope[field] === '') return `a refusal without ${field}`;
  }
  const leak = INSIDES.exec(text.replace(/"(stored|sent)_sha256":"\w+"/g, ''));
  return leak ? `it reveals internals: ${leak[0]} in ${text.slice(0, 300)}` : null;
}

/** True when the path is one of the call's: no piece is empty, too long, or no text. */
export function isSamePlace(pattern: string, path: string): boolean {
  const made = pattern.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '([^/?]+)');
  const pieces = new RegExp(`^${made}(?:\\?|$)`).exec(path)?.slice(1);
  return pieces?.every(isPiece) ?? false;
}

function isPiece(piece: string): boolean {
  try {
    const text = decodeURIComponent(piece);
    // The client itself takes dots away, and the path is another.
    return text.length <= MAX_PIECE && text !== '.' && text !== '..';
  } catch {
    return false;
  }
}
