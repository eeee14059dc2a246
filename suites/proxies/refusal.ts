/** A part that its head alone is enough to refuse, with a body that goes on. */
import { type Answer, Connection, printHead } from '../contract/wire.ts';

const BODY_BYTES = 8 * 1024 * 1024;

/** Sends a part of 8 MiB. @param late reads nothing before all of it was taken. @returns the final answer. */
export async function refuse(
  url: string,
  path: string,
  headers: Record<string, string>,
  late: boolean,
): Promise<Answer> {
  const body = Buffer.alloc(BODY_BYTES, 7);
  const connection = await Connection.open(url);
  const head = printHead('PUT', path, { host: new URL(url).host, 'content-length': String(body.length), ...headers });
  if (headers.expect) connection.send(head);
  else if (late) await connection.sendUnread(Buffer.concat([Buffer.from(head), body]));
  else for (const data of [head, body]) connection.send(data);
  let answer = await connection.answer();
  if (answer.status === 100) {
    connection.send(body);
    answer = await connection.answer();
  }
  connection.close();
  return answer;
}
