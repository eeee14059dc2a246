/** What belongs to one subject: uploads, what is known of the server, downloads, events. Nobody else ever gets it. */
import { type Api, Uploader } from '@cryolift/client';
import { IndexedDbResumeStore } from '@cryolift/client/browser';
import type { Limits } from '@cryolift/protocol/messages';
import { QueryClient } from '@tanstack/react-query';
import { Downloads } from './library/downloads.ts';
import { putFile, USAGE_KEY, updateFromEvent } from './library/lists.ts';
import { Live } from './live/live.ts';
import type { WatchedTransport } from './live/watched-transport.ts';
import { holdLock } from './locks.ts';
import type { Subject } from './signing-in/subject.ts';
import type { TokenKeeper } from './signing-in/token-keeper.ts';
import { Intake } from './uploads/intake.ts';
import { UploadList } from './uploads/upload-list.ts';

/** Of the six connections that a browser holds; one is for events, one for short calls. */
const PARALLEL = 4;
/** Held by every tab in which a subject is signed in; the subject's key follows. */
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
  readonly intake: Intake;
  readonly live: Live;
  readonly downloads: Downloads;
  readonly limits;
  readonly usage;
  #signedOut = new AbortController();

  constructor({ subject, keeper, transport }: AccountOptions) {
    this.subject = subject;
    const getToken = keeper.tokensOf(subject);
    const resumeStore = new IndexedDbResumeStore();
    // What is remembered of an upload is for whoever began it.
    const server = `${location.origin} ${subject.key}`;
    const uploader = new Uploader({ server, transport, resumeStore, getToken, parallel: PARALLEL });
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
    this.usage = { queryKey: USAGE_KEY, queryFn: () => api.limits(), staleTime: 0 };
    const getLimits = () => queries.fetchQuery(this.limits).catch(() => null);
    const onDone = (file: Parameters<typeof putFile>[1]) => putFile(queries, file);
    const { key: subjectKey, owner } = subject;
    this.uploads = new UploadList({ subjectKey, uploader, resumeStore, server, owner, getLimits, onDone });
    this.intake = new Intake(this.uploads, getLimits);
    const nextToken = () => keeper.state.next();
    const onEvent: LiveEvent = (event) => updateFromEvent(queries, api, event);
    this.live = new Live({ subjectKey: subject.key, getToken, nextToken, transport, onEvent });
    this.downloads = new Downloads(api);
  }

  /** The subject has signed in. */
  open(): void {
    this.#signedOut = new AbortController();
    const { signal } = this.#signedOut;
    holdLock(SIGNED_IN_LOCK + this.subject.key, signal);
    void this.live.follow(signal);
    this.uploads.open();
  }

  /** The subject has signed out: uploads wait for them, and all else is given up. */
  close(): void {
    this.#signedOut.abort();
    this.uploads.close();
    this.downloads.stopAll();
    this.intake.notice.set(null);
    this.queries.clear();
  }
}

type LiveEvent = ConstructorParameters<typeof Live>[0]['onEvent'];

/** Without a token, which may not be there yet. */
async function fetchLimits(transport: WatchedTransport): Promise<Limits> {
  const { status, body } = await transport.send({ method: 'GET', path: '/limits', headers: {} });
  if (status !== 200) throw new Error(`GET /limits answered ${status}`);
  return JSON.parse(new TextDecoder().decode(body)) as Limits;
}
