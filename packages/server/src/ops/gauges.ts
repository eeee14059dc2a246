/** Gauges, which are read at each scrape and never delay the other metrics. */
import { Counter, Gauge, type Registry } from 'prom-client';

type ByLabel = Readonly<Record<string, number>>;

/** The sources of the gauges. */
export interface Sources {
  /** Parts that are being received now. */
  partsUnderWay(): number;
  /** Stored bytes that are not hashed yet. */
  digestLagBytes(): number;
  /** Streams of events that are open. */
  eventStreams(): number;
  /** Uploads that have not ended, by status. */
  uploads(): Promise<ByLabel>;
  jobs(): Promise<ByLabel>;
  deliveries(): Promise<ByLabel>;
  /** Open datasets to which nothing arrives for longer than they name. */
  silentDatasets(): Promise<number>;
  /** Null: the storage has no limit. */
  readonly space: { read(): Promise<{ freeBytes: number; sizeBytes: number }> } | null;
  /** Files with a fault in the last scrub, by fault. */
  scrubFaults(): Promise<ByLabel>;
  /** Lines of the log that could not be written since the start. */
  lostLogLines(): number;
}

/** A disk that hangs must not delay the metrics, which are scraped every few seconds. */
const READ_MS = 2_000;

export function registerGauges(registry: Registry, sources: Sources): void {
  const registers = [registry];
  const unread = new Counter({
    name: 'cryolift_unread_gauges_total',
    help: 'Gauges that were omitted because the database or the storage did not answer.',
    labelNames: ['gauge'],
    registers,
  });

  /** A gauge that cannot be read is omitted. */
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
  addFigure('cryolift_parts_under_way', 'Parts that are being received.', sources.partsUnderWay);
  addFigure('cryolift_digest_lag_bytes', 'Stored bytes that are not hashed yet.', sources.digestLagBytes);
  addFigure('cryolift_event_streams', 'Open event streams.', sources.eventStreams);
  add('cryolift_sessions', 'Uploads that have not ended.', 'status', sources.uploads);
  add('cryolift_jobs', 'Jobs on published files that are not done.', 'status', sources.jobs);
  add('cryolift_webhook_deliveries', 'Events that the webhook has not accepted.', 'status', sources.deliveries);
  add('cryolift_scrub_faults', 'Files with a fault in the last scrub.', 'fault', sources.scrubFaults);
  addFigure(
    'cryolift_silent_datasets',
    'Open datasets in which no file has arrived for the time that they name.',
    sources.silentDatasets,
  );
  const { space } = sources;
  if (!space) return;
  addFigure('cryolift_storage_free_bytes', 'Free space of the storage.', async () => (await space.read()).freeBytes);
  addFigure('cryolift_storage_size_bytes', 'Total space of the storage.', async () => (await space.read()).sizeBytes);
}

async function within<T>(ms: number, read: () => Promise<T> | T): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
  return await Promise.race([read(), late]).finally(() => clearTimeout(timer));
}
