/** A reporter of `node --test` that writes one line of JSON for each test, a `TestResult`. */

export interface TestResult {
  /** Absolute. */
  readonly file: string;
  readonly name: string;
  readonly outcome: 'passed' | 'skipped' | 'failed';
  /** Why it has failed, as the runner has it; `testCodeFailure`: the test itself has thrown. */
  readonly failureType?: string;
  /** What the test has thrown, in short. */
  readonly error?: string;
}

interface Ended {
  readonly file?: string;
  readonly name: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details: { readonly error?: { readonly failureType?: string; readonly cause?: unknown } };
}

export default async function* reportResults(events: AsyncIterable<{ type: string; data: Ended }>) {
  for await (const { type, data } of events) {
    if (type === 'test:pass' || type === 'test:fail') yield `${JSON.stringify(resultOf(data, type === 'test:pass'))}\n`;
  }
}

function resultOf({ file = '', name, skip, todo, details }: Ended, hasPassed: boolean): TestResult {
  const isSkipped = (skip ?? todo ?? false) !== false;
  if (isSkipped || hasPassed) return { file, name, outcome: isSkipped ? 'skipped' : 'passed' };
  const { failureType = '', cause } = details.error ?? {};
  return { file, name, outcome: 'failed', failureType, error: describe(cause) };
}

function describe(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause);
  const { name = 'Error', code = '', syscall = '', message = '' } = cause as Record<string, string>;
  return [name, code, syscall, message.split('\n', 1)[0]].filter(Boolean).join(' ');
}
