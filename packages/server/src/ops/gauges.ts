/** How things stand: asked for when the metrics are read, and never in the way of the rest of them. */
import { Counter, Gauge, type Registry } from 'prom-client';

type ByLabel = Readonly<Record<string, number>>;

/** Where the figures come from. */
export interface Sources {
  /** Parts that are being received now. */
  partsUnderWay(): number;
  /** Stored bytes that are still to be read for digests. */
  digestLagBytes(): number;
  /** Streams of events that are open. */
  eventStreams(): number;
  /** By status; those that have not ended. */
  sessions(): Promise<ByLabel>;
  jobs(): Promise<ByLabel>;
  deliveries(): Promise<ByLabel>;
  /** Null: the storage knows no bound. */
  readonly space: { read(): Promise<{ freeBytes: number; sizeBytes: number }> } | null;
  /** Files, by what the last scrub found wrong with them. */
  scrubFaults(): ByLabel;
  /** Lines of the log that could not be written since the start. */
  lostLogLines(): number;
}

/** A disk that hangs must not hang the metrics, which are read every few seconds. */
const READ_MS = 2_000;

export function registerGauges(registry: Registry, sources: Sources): void {
  const registers = [registry];
  const unread = new Counter({
    name: 'cryolift_unread_gauges_total',
    help: 'Gauges that were left out, because the database or the storage did not answer.',
    labelNames: ['gauge'],
    registers,
  });

  /** A gauge that cannot be read is left out: a wrong figure is worse than none. */
  const add = (name: string, help: string, label: string | null, read: () => Promise<ByLabel> | ByLabel) => {
    unread.inc({ gauge: name }, 0);
    const gauge = new Gauge({
      name,
      help,
      labelNames: label === null ? [] : [label],
      registers,
      async collect() {
        try {
          const figures = await within(READ_MS, read);
          for (const [value, figure] of Object.entries(figures))
            gauge.set(label === null ? {} : { [label]: value }, figure);
        } catch {
          if (label === null) gauge.remove();
          else gauge.reset();
          unread.inc({ gauge: name });
        }
      },
    });
  };
  const addFigure = (name: string, help: string, read: () => Promise<number> | number) =>
    add(name, help, null, async () => ({ figure: await read() }));

  new Counter({
    name: 'cryolift_log_lines_lost_total',
    help: 'Lines of the log that could not be written.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.lostLogLines());
    },
  });
  addFigure('cryolift_parts_under_way', 'Parts that are being received now.', sources.partsUnderWay);
  addFigure('cryolift_digest_lag_bytes', 'Stored bytes that are still to be read for digests.', sources.digestLagBytes);
  addFigure('cryolift_event_streams', 'Streams of events that are open.', sources.eventStreams);
  add('cryolift_sessions', 'Upload sessions that have not ended.', 'status', sources.sessions);
  add('cryolift_jobs', 'Jobs on published files that are still to be done.', 'status', sources.jobs);
  add('cryolift_webhook_deliveries', 'Events that the webhook has not accepted.', 'status', sources.deliveries);
  add('cryolift_scrub_faults', 'Files that the last scrub found at fault.', 'fault', sources.scrubFaults);
  const { space } = sources;
  if (!space) return;
  addFigure(
    'cryolift_storage_free_bytes',
    'Space of the storage that is free.',
    async () => (await space.read()).freeBytes,
  );
  addFigure(
    'cryolift_storage_size_bytes',
    'Space of the storage, free or not.',
    async () => (await space.read()).sizeBytes,
  );
}

async function within<T>(ms: number, read: () => Promise<T> | T): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
  return await Promise.race([read(), late]).finally(() => clearTimeout(timer));
}
