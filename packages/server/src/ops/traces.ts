/**
 * Traces for an OpenTelemetry collector: a span for every request, sent in batches as OTLP 1 over HTTP in JSON. W3C
 * Trace Context says which trace a request belongs to; the SDK gives all requests of an upload the same one.
 */
import { randomBytes } from 'node:crypto';

/** Limit of waiting spans; more are dropped, so that an unreachable collector uses no memory. */
const MAX_WAITING = 2_000;
const BATCH = 500;
const SEND_MS = 2_000;
const TIMEOUT_MS = 5_000;
const SERVER_KIND = 2;
const ERROR_STATUS = 2;

interface TraceLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

/** The attributes of a finished request. Only ids and codes. */
interface SpanEnd {
  /** Method and route pattern. */
  readonly name: string;
  readonly status: number;
  readonly attributes: Readonly<Record<string, string | number>>;
}

export interface Span {
  end(end: SpanEnd): void;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly object[];
  readonly status: object;
}

export class Traces {
  readonly #url: string;
  readonly #version: string;
  readonly #log: TraceLog;
  #waiting: OtlpSpan[] = [];
  #dropped = 0;
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param url of the collector, `…/v1/traces`. */
  constructor(url: string, version: string, log: TraceLog) {
    this.#url = url;
    this.#version = version;
    this.#log = log;
  }

  /**
   * @param traceparent as the request has it; one that is malformed counts as none (W3C Trace Context, section 3.2.2).
   */
  begin(traceparent: string | undefined): Span {
    const [, traceId = randomBytes(16).toString('hex'), parentSpanId] =
      /^[0-9a-e][0-9a-f]-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/.exec(traceparent ?? '') ??
      [];
    const startTimeUnixNano = nowNano();
    return {
      end: ({ name, status, attributes }) =>
        this.#add({
          traceId,
          spanId: randomBytes(8).toString('hex'),
          ...(parentSpanId === undefined ? {} : { parentSpanId }),
          name,
          kind: SERVER_KIND,
          startTimeUnixNano,
          endTimeUnixNano: nowNano(),
          attributes: printAttributes({ ...attributes, 'http.response.status_code': status }),
          status: status >= 500 ? { code: ERROR_STATUS } : {},
        }),
    };
  }

  /** Sends waiting spans once, and drops those that fail. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sending;
    if (this.#waiting.length > 0) await this.#send();
  }

  #add(span: OtlpSpan): void {
    if (this.#waiting.length >= MAX_WAITING) this.#dropped++;
    else this.#waiting.push(span);
    if (this.#waiting.length >= BATCH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), SEND_MS).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
      if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#flush(), SEND_MS).unref();
    });
  }

  async #send(): Promise<void> {
    const spans = this.#waiting.splice(0, BATCH);
    const resource = { attributes: printAttributes({ 'service.name': 'cryolift', 'service.version': this.#version }) };
    const body = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'cryolift' }, spans }] }] };
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the collector answered ${response.status}`);
    } catch (error) {
      this.#dropped += spans.length;
      this.#log.warn(
        { err: error, spans: spans.length, dropped: this.#dropped },
        'spans could not be sent, and are lost',
      );
    }
  }
}

function nowNano(): string {
  return String(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n);
}

function printAttributes(attributes: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
}
