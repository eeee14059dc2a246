/** One request of a tus client. */
import type { Answer } from '../contract/answer.ts';
import { describe, GivenUp } from './caller.ts';
import type { Entry } from './ledger.ts';
import type { Steps } from './upload-steps.ts';

export interface TusRequest {
  readonly method: 'POST' | 'HEAD' | 'PATCH';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** As `describe`; an answer without a body, to HEAD, has its status alone. */
export function describeTus(answer: Answer): string {
  return answer.body.length === 0 ? String(answer.status) : describe(answer);
}

/**
 * @param accepts whether this may be answered; anything else is a fault.
 * @returns null when no answer came while the server may be away. @throws GivenUp after a fault.
 */
export async function askTus(
  { caller, ledger, weather, pass }: Steps,
  entry: Entry,
  { method, path, headers, body }: TusRequest,
  accepts: (answer: Answer) => boolean,
): Promise<Answer | null> {
  entry.touched = true;
  const extra = { headers: { 'tus-resumable': '1.0.0', ...headers }, ...(body ? { body } : {}) };
  const call = () => caller.call(entry.plan.owner, method, path, extra);
  const answer = await pass(() => call().catch((error: Error) => error));
  if (answer instanceof Error) {
    if (weather.away) return null;
    ledger.noteFault(entry, `${method} ${path} got no answer: ${answer.message}`);
    throw new GivenUp('no answer');
  }
  if (accepts(answer)) return answer;
  const described = describeTus(answer);
  ledger.noteFault(entry, `${method} ${path} answered ${described}: ${answer.body.toString().slice(0, 500)}`);
  throw new GivenUp('a wrong answer');
}
