/** Compares an answer with the one that the model expects. */
import type { ErrorCode } from '@cryolift/protocol/errors';

export interface Answer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; of a download `{ sha256 }` of its bytes; null: none. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

export interface Expected {
  readonly status: number;
  /** Of an error. */
  readonly code?: ErrorCode;
  /** Fields of the body that are compared. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** In the place of a field: one of these values. */
export class OneOf {
  readonly values: readonly unknown[];

  constructor(...values: readonly unknown[]) {
    this.values = values;
  }
}

/** @returns a line for each difference. */
export function differences({ status, code, fields = {}, headers = {} }: Expected, answer: Answer): string[] {
  const received = answer.body?.code;
  if (status !== answer.status || (code !== undefined && received !== undefined && code !== received)) {
    return [
      `expected ${status} ${code ?? ''}, received ${answer.status} ${received ?? ''}`.replaceAll(/ +(,|$)/g, '$1'),
    ];
  }
  const wrong = (name: string, expected: unknown, actual: unknown) =>
    `${name}: expected ${JSON.stringify(expected)}, received ${JSON.stringify(actual)}`;
  return [
    ...Object.entries(fields)
      .filter(([name, expected]) => !isAsExpected(expected, answer.body?.[name]))
      .map(([name, expected]) => wrong(name, expected, answer.body?.[name])),
    ...Object.entries(headers)
      .filter(([name, expected]) => answer.headers[name] !== expected)
      .map(([name, expected]) => wrong(name, expected, answer.headers[name])),
  ];
}

/** Of objects, the fields that are expected are compared. */
function isAsExpected(expected: unknown, actual: unknown): boolean {
  if (expected instanceof OneOf) return expected.values.some((value) => isAsExpected(value, actual));
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, actual);
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(expected) && !(Array.isArray(actual) && expected.length === actual.length)) return false;
  return Object.entries(expected).every(([key, value]) =>
    isAsExpected(value, (actual as Record<string, unknown>)[key]),
  );
}
