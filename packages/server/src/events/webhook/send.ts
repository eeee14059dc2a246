/** One attempt to send an event to a receiver. */
import { signEvent } from './signature.ts';

const TIMEOUT_MS = 15_000;
/** Maximum length of the stored error message of a receiver. */
const SHOWN_CHARS = 200;
/** 410: the receiver is permanently gone. */
const GONE = 410;

export type Attempt =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly isFinal: boolean; readonly trouble: string; readonly waitMs: number | null };

/** @param event a CloudEvent, JSON. @throws only the reason of `signal` when that is aborted. */
export async function sendEvent(
  url: string,
  key: Uint8Array,
  event: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<Attempt> {
  const { id } = JSON.parse(event) as { id: string };
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: event,
      headers: {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        'user-agent': 'Cryolift',
        ...signEvent(key, id, Math.floor(nowMs / 1000), event),
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    // Only the status counts; errors while reading the rest are ignored.
    const said = response.ok ? '' : await readStart(response).catch(() => '');
    await response.body?.cancel().catch(() => {});
    if (response.ok) return { kind: 'accepted' };
    const trouble = `answered ${response.status}${said === '' ? '' : `: ${said}`}`;
    return { kind: 'refused', isFinal: response.status === GONE, trouble, waitMs: readRetryAfter(response, nowMs) };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'refused', isFinal: false, trouble: describe(error as Error), waitMs: null };
  }
}

/** The first characters of an answer, printable. */
async function readStart({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  reader?.releaseLock();
  const text = new TextDecoder().decode(value?.subarray(0, 4 * SHOWN_CHARS));
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, SHOWN_CHARS);
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function readRetryAfter({ headers }: Response, nowMs: number): number | null {
  const asked = headers.get('retry-after') ?? '';
  const waitMs = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - nowMs;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}

function describe(error: Error): string {
  if (error.name === 'TimeoutError') return `no answer for ${TIMEOUT_MS / 1000} s`;
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
  return `no connection (${code ?? message})`;
}
