/** What operators watch, in Prometheus' text format. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly contentType: string;
  /** One answered request. `route` is the pattern, never the URL. */
  noteRequest(request: { method: string; route: string; status: number; seconds: number }): void;
  noteError(code: string): void;
  noteAuditFailure(): void;
  notePart(part: { bytes: number; deduplicated: boolean }): void;
  render(): Promise<string>;
}

export interface Gauges {
  /** Parts that are being received now. */
  partsUnderWay(): number;
  /** Stored bytes that are still to be read for digests. */
  digestLagBytes(): number;
  /** Streams of events that are open. */
  eventStreams(): number;
}

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'cryolift_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const errors = new Counter({
    name: 'cryolift_errors_total',
    help: 'Error answers by code.',
    labelNames: ['code'],
    registers,
  });
  const auditFailures = new Counter({
    name: 'cryolift_audit_failures_total',
    help: 'Lines of the audit that could not be written.',
    registers,
  });
  const parts = new Counter({
    name: 'cryolift_parts_total',
    help: 'Acknowledged parts, and those that were stored already.',
    labelNames: ['outcome'],
    registers,
  });
  const bytes = new Counter({ name: 'cryolift_part_bytes_total', help: 'Bytes of parts stored.', registers });
  new Gauge({
    name: 'cryolift_parts_under_way',
    help: 'Parts that are being received now.',
    registers,
    collect() {
      this.set(gauges.partsUnderWay());
    },
  });
  new Gauge({
    name: 'cryolift_digest_lag_bytes',
    help: 'Stored bytes that are still to be read for digests.',
    registers,
    collect() {
      this.set(gauges.digestLagBytes());
    },
  });
  new Gauge({
    name: 'cryolift_event_streams',
    help: 'Streams of events that are open.',
    registers,
    collect() {
      this.set(gauges.eventStreams());
    },
  });
  return {
    contentType: registry.contentType,
    noteRequest: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    noteError: (code) => errors.inc({ code }),
    noteAuditFailure: () => auditFailures.inc(),
    notePart({ bytes: sizeBytes, deduplicated }) {
      parts.inc({ outcome: deduplicated ? 'deduplicated' : 'stored' });
      if (!deduplicated) bytes.inc(sizeBytes);
    },
    render: () => registry.metrics(),
  };
}
