/** What the page is made of, put together once. */
import { ConnectionError, Uploader } from '@cryolift/client';
import { IndexedDbMemory, XhrTransport } from '@cryolift/client/browser';
import type { ErrorEnvelope } from '@cryolift/protocol/errors';
import type { Limits } from '@cryolift/protocol/messages';
import { QueryClient } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { Downloads } from './library/downloads.ts';
import { putFile, USAGE_KEY, updateFromEvent } from './library/lists.ts';
import { Live } from './live/live.ts';
import { WatchedTransport } from './live/watched-transport.ts';
import { TokenKeeper } from './signing-in/token-keeper.ts';
import { texts } from './texts.ts';
import { UploadList } from './uploads/upload-list.ts';

/** Of the six connections that a browser holds; one is for events, one for short calls. */
const PARALLEL = 4;

export type Services = ReturnType<typeof createServices>;

export function createServices() {
  const server = location.origin;
  const transport = new WatchedTransport(new XhrTransport(server));
  const memory = new IndexedDbMemory();
  const keeper = new TokenKeeper((token) => judgeToken(transport, token));
  const uploader = new Uploader({ server, transport, memory, getToken: keeper.get, parallel: PARALLEL });
  const { api } = uploader;
  const queries = new QueryClient({
    defaultOptions: {
      queries: { retry: false, networkMode: 'always', staleTime: 30_000 },
      mutations: { networkMode: 'always' },
    },
  });
  const limits = { queryKey: ['limits'], queryFn: () => fetchLimits(transport), staleTime: Number.POSITIVE_INFINITY };
  const usage = { queryKey: USAGE_KEY, queryFn: () => api.limits(), staleTime: 0 };
  const uploads = new UploadList({
    uploader,
    memory,
    server,
    getLimits: () => queries.fetchQuery(limits).catch(() => null),
    onDone: (file) => putFile(queries, file),
  });
  const live = new Live(keeper, transport, (event) => updateFromEvent(queries, api, event));
  const downloads = new Downloads(api);
  keeper.onNewSubject = () => void queries.resetQueries();
  return { api, transport, keeper, queries, limits, usage, uploads, live, downloads };
}

/** Without a token, which may not be there yet. */
async function fetchLimits(transport: WatchedTransport): Promise<Limits> {
  const { status, body } = await transport.send({ method: 'GET', path: '/limits', headers: {} });
  if (status !== 200) throw new Error(`GET /limits answered ${status}`);
  return JSON.parse(new TextDecoder().decode(body)) as Limits;
}

async function judgeToken(transport: WatchedTransport, token: string): Promise<string | null> {
  // Other characters cannot be in a header; no token has them.
  if (!/^[\x21-\x7e]+$/.test(token)) return texts.signIn.malformed;
  const reply = await transport
    .send({ method: 'GET', path: '/uploads?limit=1', headers: { authorization: `Bearer ${token}` } })
    .catch((error: unknown) => {
      throw error instanceof ConnectionError ? new Error(texts.signIn.unreachable, { cause: error }) : error;
    });
  if (reply.status !== 401) return null;
  const { message } = JSON.parse(new TextDecoder().decode(reply.body)) as ErrorEnvelope;
  return message;
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  return useContext(ServicesContext) as Services;
}
