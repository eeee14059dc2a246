/** One measured thing. */
export interface Measured {
  readonly what: 'disk' | 'hash' | 'tls' | 'latency' | 'up' | 'server' | 'down';
  /** Bytes per second; null: it was not measured, or is no rate. */
  readonly bytes_per_second: number | null;
  /** Of the latency: milliseconds. */
  readonly milliseconds: number | null;
  /** What it is, or why it was not measured. */
  readonly note: string;
}

export function rateOf(what: Measured['what'], bytes: number, ms: number, note: string): Measured {
  return { what, bytes_per_second: Math.round(bytes / (Math.max(ms, 0.001) / 1000)), milliseconds: null, note };
}

export function notMeasured(what: Measured['what'], note: string): Measured {
  return { what, bytes_per_second: null, milliseconds: null, note };
}
