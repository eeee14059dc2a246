/** Between a command and its server: changes what the server answers. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** @returns what the client gets instead of this body. */
type Change = (body: string) => string | Promise<string>;

/** @param choose null: the answer to this request is passed as it is. @returns the URL. */
export async function startChanging(
  t: { after(fn: () => void): void },
  server: string,
  choose: (request: { method: string; path: string }) => Change | null,
): Promise<string> {
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', headers, url: path = '/' } = incoming;
    const { host: _, ...rest } = headers;
    const sent = request(`${server}${path}`, { method, headers: rest });
    incoming.pipe(sent);
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      sent.on('response', resolve).on('error', reject),
    );
    const change = choose({ method, path });
    if (change) {
      const body = await change(await text(answer));
      outgoing.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/json' }).end(body);
    } else {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    }
  };
  const proxy = createServer((incoming, outgoing) => void pass(incoming, outgoing).catch(() => outgoing.destroy()));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
