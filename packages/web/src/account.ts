/** The state of one subject: uploads, query cache, downloads, events. It is never shared with another subject. */
import { type Api, Uploader } from '@cryolift/client';
import { IndexedDbResumeStore, XhrTransport } from '@cryolift/client/browser';
import type { FileRecord, Limits } from '@cryolift/protocol/messages';
import { QueryClient } from '@tanstack/react-query';
import { FileReceiver } from './adding/file-receiver.ts';
import { KnownFiles, NOTHING_KNOWN } from './adding/known-files.ts';
import { Cell } from './cell.ts';
import { DatasetUpdates } from './library/dataset-updates.ts';
import { Downloads } from './library/downloads.ts';
import { USAGE_KEY, updateFromEvent } from './library/list-cache.ts';
import { FileLists } from './library/query/file-lists.ts';
import { FileReads } from './live/file-reads.ts';
import { type CloudEvent, LiveEvents } from './live/live-events.ts';
import { paced } from './live/paced.ts';
import type { WatchedTransport } from './live/watched-transport.ts';
import { holdLock } from './locks.ts';
import type { Subject } from './signing-in/subject.ts';
import type { TokenKeeper } from './signing-in/token-keeper.ts';
import { UploadList } from './uploads/upload-list.ts';

/** A browser opens six connections per server: one is for events, one for short calls, and the others for parts. */
const PARALLEL = 4;
/** At a further origin of the server one of the six is for preflights. */
const PARALLEL_ELSEWHERE = 5;
/** The least time between two requests for the quota. Every upload changes it. */
const USAGE_MS = 5_000;
/** Files that are added wait for the quota so long. Without it, the server alone checks it. */
const USAGE_WAIT_MS = 3_000;
/** The start of a lock's name; the subject's key follows. Every tab in which the subject is signed in holds the lock. */
export const SIGNED_IN_LOCK = 'cryolift-signed-in ';

export interface AccountOptions {
  readonly subject: Subject;
  readonly keeper: TokenKeeper;
  readonly transport: WatchedTransport;
}

export class Account {
  readonly subject: Subject;
  readonly api: Api;
  readonly queries: QueryClient;
  readonly uploads: UploadList;
  readonly fileReceiver: FileReceiver;
  readonly live: LiveEvents;
  readonly downloads: Downloads;
  readonly files: FileLists;
  readonly datasets: DatasetUpdates;
  /** Name of the dataset that files which are added next belong to; null: none. */
  readonly chosenDataset = new Cell<string | null>(null);
  readonly limits;
  readonly usage;
  #signedOut = new AbortController();

  constructor({ subject, keeper, transport }: AccountOptions) {
    this.subject = subject;
    const getToken = keeper.tokensOf(subject);
    const resumeStore = new IndexedDbResumeStore();
    // The resume store keeps the uploads of each subject apart.
    const server = `${location.origin} ${subject.key}`;
    const open = (url: string) => new XhrTransport(url);
    const uploader = new Uploader({
      server,
      transport,
      openStorage: open,
      partOrigins: { server: location.origin, open, parallel: PARALLEL_ELSEWHERE },
      resumeStore,
      getToken,
      parallel: PARALLEL,
    });
    const { api } = uploader;
    this.api = api;
    const queries = new QueryClient({
      defaultOptions: {
        queries: { retry: false, networkMode: 'always', staleTime: 30_000 },
        mutations: { networkMode: 'always' },
      },
    });
    this.queries = queries;
    this.limits = {
      queryKey: ['limits'],
      queryFn: () => fetchLimits(transport),
      staleTime: Number.POSITIVE_INFINITY,
    };
    this.usage = { queryKey: USAGE_KEY, queryFn: paced(() => api.limits(), USAGE_MS), staleTime: 0 };
    const getLimits = () => queries.fetchQuery(this.limits).catch(() => null);
    const files = new FileLists(queries);
    this.files = files;
    const datasets = new DatasetUpdates(queries);
    this.datasets = datasets;
    const onDone = (file: FileRecord) => {
      files.put(file);
      // With an upload link there are no events.
      if (subject.isLink) void queries.invalidateQueries({ queryKey: USAGE_KEY });
    };
    const { key: subjectKey, owner } = subject;
    this.uploads = new UploadList({ subjectKey, uploader, resumeStore, server, owner, getLimits, onDone });
    const getUsage = () => api.limits({ signal: AbortSignal.timeout(USAGE_WAIT_MS) }).catch(() => null);
    // An upload link may not list files.
    const knownFiles = subject.isLink ? NOTHING_KNOWN : new KnownFiles(api);
    const getDataset = () => this.chosenDataset.value;
    this.fileReceiver = new FileReceiver({ uploads: this.uploads, knownFiles, getLimits, getUsage, getDataset });
    const nextToken = () => keeper.state.next();
    const fileReads = new FileReads(api);
    const onEvent = (event: CloudEvent) => updateFromEvent({ queries, api: fileReads, files, datasets }, event);
    this.live = new LiveEvents({ subjectKey: subject.key, getToken, nextToken, transport, onEvent });
    // What happened before the stream began is not among its events.
    this.live.isLive.watch(() => {
      if (!this.live.isLive.value) return;
      files.refresh();
      datasets.refresh();
    });
    this.downloads = new Downloads(api);
  }

  /** The subject has signed in. */
  open(): void {
    this.#signedOut = new AbortController();
    const { signal } = this.#signedOut;
    holdLock(SIGNED_IN_LOCK + this.subject.key, signal);
    // An upload link may not read events.
    if (!this.subject.isLink) void this.live.follow(signal);
    this.uploads.open();
  }

  /** The subject has signed out: uploads wait until they sign in again, and everything else stops. */
  close(): void {
    this.#signedOut.abort();
    this.uploads.close();
    this.downloads.stopAll();
    this.files.stop();
    this.datasets.stop();
    this.chosenDataset.set(null);
    this.fileReceiver.report.set(null);
    this.queries.clear();
  }
}

/** Sent without a token: there may be none yet. */
async function fetchLimits(transport: WatchedTransport): Promise<Limits> {
  const { status, body } = await transport.send({ method: 'GET', path: '/limits', headers: {} });
  if (status !== 200) throw new Error(`GET /limits answered ${status}`);
  return JSON.parse(new TextDecoder().decode(body)) as Limits;
}
