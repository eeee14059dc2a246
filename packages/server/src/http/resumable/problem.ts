/** Errors that the drafts give a problem type (RFC 9457). */
import { type ErrorCode, UploadError, type UploadErrorOptions } from '@cryolift/protocol/errors';

const PREFIX = 'https://iana.org/assignments/http-problem-types#';

/** The problem types, each with its title. */
export const PROBLEMS = {
  'mismatching-upload-offset': 'The offset of the request is not the offset of the upload',
  'inconsistent-upload-length': 'The lengths that the upload was given differ',
  'completed-upload': 'The upload is complete',
  'offset-outside-window': 'The append ends outside the window',
  'range-conflict': 'The bytes differ from those that are stored',
  'incomplete-ranges': 'Ranges are missing',
  'misaligned-append': 'The append does not begin or end at a border of a part',
  'too-many-parallel': 'Too many appends are under way',
} as const;

type ProblemName = keyof typeof PROBLEMS;

interface ProblemOptions extends UploadErrorOptions {
  /** Where the draft has another status than the table of errors. */
  readonly status?: number;
  /** Members of the problem beside those of every error. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Problem extends UploadError {
  /** Null: the status says it all (`about:blank`). */
  readonly problem: ProblemName | null;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly #status: number | undefined;

  constructor(problem: ProblemName | null, code: ErrorCode, message: string, options: ProblemOptions = {}) {
    super(code, message, options);
    this.problem = problem;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
    this.#status = options.status;
  }

  override get status(): number {
    return this.#status ?? super.status;
  }
}

/** The URI of a problem type. */
export function uriOf(problem: ProblemName): string {
  return `${PREFIX}${problem}`;
}

export function inconsistentLength(message: string, headers: Readonly<Record<string, string>> = {}): Problem {
  return new Problem('inconsistent-upload-length', 'invalid_request', message, {
    hint: 'Check whether the file has changed. If it has, start a new upload.',
    headers,
  });
}

export function unsupportedMedia(message: string, hint: string): Problem {
  return new Problem(null, 'invalid_request', message, { status: 415, hint });
}
