/** A wire between a client and a server that does to each connection what a script says. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Fault, printFault } from './script.ts';
import { Wire } from './wire.ts';

export interface BadWires {
  /** What the client takes for the server's. */
  readonly url: string;
  /** What happened, with milliseconds since the start. */
  readonly log: readonly string[];
  /** Faults that came to pass so far. */
  readonly met: readonly Fault[];
  /** Bytes of bodies of PUT requests that came from the client. */
  readonly partBytes: number;
  /** Parts whose bodies were on their way at the same time, at most. */
  readonly mostParts: number;
  /** Connections that the client left with a part on its way, though they were only slow or not even that. */
  readonly givenUp: number;
  /** Connections from now on meet no fault; those that are there stay as they are. */
  heal(): void;
  close(): void;
}

const LISTEN_AGAIN_MS = 20;

/**
 * @param serverUrl `http://host:port`. @param faults one for each connection, in order; undefined: it meets none.
 * @param onFault is told of each that comes to pass.
 */
export async function startProxy(
  serverUrl: string,
  faults: Iterable<Fault | undefined>,
  onFault: (fault: Fault) => void = () => {},
): Promise<BadWires> {
  const { hostname, port } = new URL(serverUrl);
  const script = faults[Symbol.iterator]();
  const wires = new Set<Wire>();
  const closing = new AbortController();
  const log: string[] = [];
  const met: Fault[] = [];
  const startedMs = performance.now();
  let healed = false;
  let count = 0;
  let partBytes = 0;
  let mostParts = 0;
  let givenUp = 0;
  let listener = await listen(0);
  const address = listener.address();
  const ownPort = typeof address === 'object' && address ? address.port : 0;

  function note(text: string): void {
    log.push(`${Math.round(performance.now() - startedMs)} ms: ${text}`);
  }

  async function listen(at: number): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  function accept(client: Socket): void {
    const number = count++;
    const fault = healed ? undefined : script.next().value;
    note(`connection ${number}: ${fault ? printFault(fault) : 'no fault'}`);
    const meet = (what: Fault) => {
      note(`connection ${number} met its ${what.kind}`);
      met.push(what);
      onFault(what);
    };
    if (fault?.kind === 'refuse') {
      meet(fault);
      client.on('error', () => {});
      client.resetAndDestroy();
      refuse(fault.forMs);
      return;
    }
    const server = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    const wire = new Wire(client, server, fault, {
      meet,
      countPart: (bytes) => {
        partBytes += bytes;
        mostParts = Math.max(mostParts, [...wires].filter(({ carriesPart }) => carriesPart).length);
      },
      end: (givenUpHere) => {
        note(`connection ${number} ended${givenUpHere ? ', given up' : ''}`);
        if (givenUpHere) givenUp++;
        wires.delete(wire);
      },
    });
    wires.add(wire);
  }

  function refuse(ms: number): void {
    if (!listener.listening) return;
    listener.close();
    const again = async () => {
      if (closing.signal.aborted) return;
      try {
        listener = await listen(ownPort);
        note('listening again');
        if (closing.signal.aborted) listener.close();
      } catch {
        setTimeout(again, LISTEN_AGAIN_MS);
      }
    };
    setTimeout(again, ms);
  }

  return {
    url: `http://127.0.0.1:${ownPort}`,
    log,
    met,
    get partBytes() {
      return partBytes;
    },
    get mostParts() {
      return mostParts;
    },
    get givenUp() {
      return givenUp;
    },
    heal() {
      note('healed');
      healed = true;
    },
    close() {
      closing.abort();
      listener.close();
      for (const wire of wires) wire.destroy();
    },
  };
}
