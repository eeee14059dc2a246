/** Signals a handler that the client has closed the connection. */
import type { FastifyReply } from 'fastify';

/** Fires when the connection closes before the answer has been sent. */
export function signalOf({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const gone = () => controller.abort(new Error('The client closed the connection.'));
  if (raw.destroyed) gone();
  else raw.once('close', () => raw.writableFinished || gone());
  return controller.signal;
}
