/** Stands between the storage and a real service, and makes single answers go wrong. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What happens to one request: it is refused, or delayed, or never answered, or cut off while it comes, or its answer is
 * lost, cut off in the middle of the body, or changed.
 */
export type Fault =
  | { kind: 'delay'; ms: number }
  | { kind: 'hang' }
  | { kind: 'refuse'; status: number; code: string }
  | { kind: 'cut_request' }
  | { kind: 'lose_answer' }
  | { kind: 'cut_answer' }
  | { kind: 'change_answer'; headers: Record<string, string | null> };

export interface FaultyProxy {
  readonly url: string;
  /** Requests that came, as `PUT partNumber`: the method and the name of what is asked for. */
  readonly seen: string[];
  /** Those of them that the service has answered with 2xx. */
  readonly answered: string[];
  /** Decides on each request; null: it goes through. */
  decide: (method: string, query: URLSearchParams) => Fault | null;
}

/** @param t ends it: the context of a test, for example. */
export async function startProxy(t: { after(end: () => void): void }, endpoint: string): Promise<FaultyProxy> {
  const [seen, answered]: [string[], string[]] = [[], []];
  const server = createServer((incoming, outgoing) => void handle(incoming, outgoing));
  server.on('checkContinue', (incoming, outgoing) => void handle(incoming, outgoing));
  const proxy = { url: '', seen, answered, decide: (): Fault | null => null } as FaultyProxy & { url: string };

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { searchParams } = new URL(incoming.url ?? '/', endpoint);
    const asked = `${incoming.method} ${[...searchParams.keys()].find((name) => name !== 'x-id') ?? ''}`.trim();
    seen.push(asked);
    const fault = proxy.decide(incoming.method ?? '', searchParams);
    if (fault?.kind === 'hang') {
      incoming.resume();
      return;
    }
    if (fault?.kind === 'delay') await sleep(fault.ms);
    if (fault?.kind === 'cut_request') {
      // One without a body is cut off at its end.
      for (const event of ['data', 'end']) incoming.once(event, () => incoming.socket.destroy());
      return;
    }
    if (fault?.kind === 'refuse') {
      incoming.resume();
      outgoing.writeHead(fault.status, { 'content-type': 'application/xml', connection: 'close' });
      outgoing.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>made to fail</Message></Error>`);
      return;
    }
    const { expect: _expect, ...headers } = incoming.headers;
    if (_expect) outgoing.writeContinue();
    const forwarded = request(endpoint, { method: incoming.method, path: incoming.url, headers });
    forwarded.on('response', (answer) => {
      if ((answer.statusCode ?? 500) < 300) answered.push(asked);
      if (fault?.kind === 'lose_answer') {
        answer.resume().on('end', () => incoming.socket.destroy());
        return;
      }
      const changed: Record<string, string | string[] | undefined> = { ...answer.headers };
      for (const [name, value] of Object.entries(fault?.kind === 'change_answer' ? fault.headers : {})) {
        if (value === null) delete changed[name];
        else changed[name] = value;
      }
      outgoing.writeHead(answer.statusCode ?? 502, changed);
      if (fault?.kind === 'cut_answer') {
        answer.once('data', (bytes: Buffer) => outgoing.write(bytes.subarray(0, 100), () => outgoing.destroy()));
        // Without a body it is cut off in the head.
        answer.once('end', () => outgoing.destroy());
      } else pipeline(answer, outgoing).catch(() => {});
    });
    forwarded.on('error', () => incoming.socket.destroy());
    await pipeline(incoming, forwarded).catch(() => forwarded.destroy());
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}
