/** A proxy with one fault. */
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Faults {
  /** Buffers each request. */
  buffers?: boolean;
  /** Refuses larger bodies with an HTML page. */
  capBytes?: number;
  /** Headers that are removed from requests. */
  drops?: readonly string[];
  /** Headers that are set in answers. */
  sets?: OutgoingHttpHeaders;
  /** Seconds by which its clock, sent in Date, is ahead. */
  aheadSeconds?: number;
  /** Changes the first byte of each body. */
  alters?: boolean;
  /** Ends requests that take longer than this. */
  cutsAfterMs?: number;
  /** Never sends `100 Continue`, and does not pass Expect on. */
  ignoresExpect?: boolean;
  /** Answers 502 when the server refuses a body before its end. */
  hidesRefusals?: boolean;
  /** Drops the answer of the first init. */
  losesInit?: boolean;
}

/** @returns its URL. It ends with the test. */
export async function startProxy(t: { after(run: () => void): void }, target: string, faults: Faults): Promise<string> {
  const proxy = createServer();
  const agent = new Agent({ keepAlive: true });
  let lost = false;
  const pass = async (asked: IncomingMessage, answer: ServerResponse) => {
    if (Number(asked.headers['content-length'] ?? 0) > (faults.capBytes ?? Number.POSITIVE_INFINITY)) {
      answer.writeHead(413, { server: 'cap', connection: 'close' }).end('<h1>413 Request Entity Too Large</h1>');
      return;
    }
    const cut = setTimeout(() => asked.socket.destroy(), faults.cutsAfterMs ?? 2 ** 31 - 1);
    answer.once('close', () => clearTimeout(cut));
    const kept = Object.entries(asked.headers).filter(([name]) => !faults.drops?.includes(name) && name !== 'expect');
    const headers = Object.fromEntries(kept) as OutgoingHttpHeaders;
    const whole = faults.buffers || faults.alters ? await buffer(asked).catch(() => null) : null;
    if (asked.destroyed && !asked.complete) return;
    if (faults.alters && whole?.[0] !== undefined && asked.method === 'PUT') whole[0] ^= 1;
    const onward = request(`${target}${asked.url}`, { method: asked.method ?? 'GET', headers, agent });
    onward.on('error', () => answer.destroy());
    answer.once('close', () => asked.complete || onward.destroy());
    onward.once('response', (got) => {
      if (faults.losesInit && !lost && asked.url === '/uploads/init') {
        lost = true;
        answer.destroy();
        return;
      }
      if (faults.hidesRefusals && !asked.complete) {
        answer.writeHead(502).end('<h1>502 Bad Gateway</h1>');
        return;
      }
      const { sets, aheadSeconds } = faults;
      const date = aheadSeconds === undefined ? {} : { date: new Date(Date.now() + aheadSeconds * 1000).toUTCString() };
      answer.writeHead(got.statusCode ?? 502, { ...got.headers, ...date, ...sets });
      got.pipe(answer);
    });
    if (whole) onward.end(whole);
    else asked.pipe(onward);
  };
  proxy.on('request', pass);
  if (faults.ignoresExpect) proxy.on('checkContinue', pass);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    agent.destroy();
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
