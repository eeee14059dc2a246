/** What the requests of these suites are made of. */
import { BODY, TOKEN, UPLOAD } from './pair.ts';

export const HOST = 'Host: x\r\n';
export const AUTHORIZATION = `Authorization: Bearer ${TOKEN}\r\n`;
export const LENGTH = `Content-Length: ${BODY.length}\r\n`;
export const PATH = `/uploads/${UPLOAD}/part/0`;
export const WHO = HOST + AUTHORIZATION;

/** A part's request with these fields besides who sends it. */
export function printPart(fields: string, body = BODY, line = `PUT ${PATH} HTTP/1.1`): string {
  return `${line}\r\n${WHO}${fields}\r\n${body}`;
}
