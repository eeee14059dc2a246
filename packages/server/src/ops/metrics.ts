/** Metrics in Prometheus' text format. Labels have few values: never an id, an owner or a name. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { registerGauges, type Sources } from './gauges.ts';

export interface Metrics {
  readonly contentType: string;
  /** One answered request. `route` is the pattern, never the URL. */
  noteRequest(request: { method: string; route: string; status: number; seconds: number }): void;
  noteError(code: string): void;
  noteAuditFailure(): void;
  /** One acknowledged part. */
  notePart(part: { bytes: number; deduplicated: boolean }): void;
  noteReceived(bytes: number): void;
  noteStage(stage: string, seconds: number): void;
  noteVerifyFailures(what: string, count: number): void;
  noteJob(kind: string, outcome: string, seconds: number): void;
  /** Registers the gauges. To be called once. */
  observe(sources: Sources): void;
  render(): Promise<string>;
}

/** Prometheus cannot compute the increase of a series that starts with its first failure, so these start with 0. */
const UNSOUND = ['part', 'file', 'stored_part'];
const JOB_OUTCOMES = ['done', 'later', 'failed'];

/** @param jobKinds the kinds of jobs that there may be. */
export function createMetrics(jobKinds: readonly string[]): Metrics {
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
  const stages = new Histogram({
    name: 'cryolift_stage_duration_seconds',
    help: 'Time that parts (receive, write, commit) and files (verify, publish) take in a stage.',
    labelNames: ['stage'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers,
  });
  const jobs = new Histogram({
    name: 'cryolift_job_duration_seconds',
    help: 'Time of attempts at jobs on published files, by outcome.',
    labelNames: ['kind', 'outcome'],
    buckets: [0.1, 0.5, 2, 10, 60, 600, 3600],
    registers,
  });
  for (const kind of jobKinds) for (const outcome of JOB_OUTCOMES) jobs.zero({ kind, outcome });
  const errors = new Counter({
    name: 'cryolift_errors_total',
    help: 'Error answers by code.',
    labelNames: ['code'],
    registers,
  });
  const verifyFailures = new Counter({
    name: 'cryolift_verify_failures_total',
    help: 'Received parts, stored parts and files whose bytes did not match their digest.',
    labelNames: ['what'],
    registers,
  });
  for (const what of UNSOUND) verifyFailures.inc({ what }, 0);
  const auditFailures = new Counter({
    name: 'cryolift_audit_failures_total',
    help: 'Lines of the audit that could not be written.',
    registers,
  });
  const parts = new Counter({
    name: 'cryolift_parts_total',
    help: 'Acknowledged parts, including those that were already stored.',
    labelNames: ['outcome'],
    registers,
  });
  const bytes = new Counter({ name: 'cryolift_part_bytes_total', help: 'Bytes of parts stored.', registers });
  const received = new Counter({
    name: 'cryolift_received_bytes_total',
    help: 'Received bytes of parts, also of parts that were not stored.',
    registers,
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
    noteReceived: (count) => received.inc(count),
    noteStage: (stage, seconds) => stages.observe({ stage }, seconds),
    noteVerifyFailures: (what, count) => verifyFailures.inc({ what }, count),
    noteJob: (kind, outcome, seconds) => jobs.observe({ kind, outcome }, seconds),
    observe: (sources) => registerGauges(registry, sources),
    render: () => registry.metrics(),
  };
}
