/**
 * A bucket whose lists are old: a proxy before a real service that answers ListObjectsV2, ListMultipartUploads and ListParts
 * as they were some changes ago. A new object is missing then, and a removed one is listed. Everything else passes as it is.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { ListMultipartUploadsCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { Bucket } from '../../packages/server/src/storage/s3/bucket.ts';
import { listParts } from '../../packages/server/src/storage/s3/multiparts.ts';
import type { RunningService } from '../engines/running-service.ts';

/** What the lists have at one time. */
interface Snapshot {
  readonly objects: readonly { key: string; sizeBytes: number }[];
  readonly multiparts: readonly { key: string; id: string; startedAt: Date; parts: readonly ListedPart[] }[];
}

type ListedPart = NonNullable<Awaited<ReturnType<typeof listParts>>>[number];

type Service = Pick<RunningService, 'bucket' | 'endpoint' | 'region' | 'credentials'>;

const NOTHING: Snapshot = { objects: [], multiparts: [] };

export class StaleLists {
  readonly url: string;
  /** By how many changes the lists are behind; 0: they are as they are. */
  lag = 0;
  /** Lists that were answered, and that were not what they are. */
  readonly counts = { lists: 0, stale: 0 };
  readonly #endpoint: string;
  readonly #snapshots: Snapshot[] = [NOTHING];
  readonly #take: () => Promise<Snapshot>;
  #taking: Promise<unknown> = Promise.resolve();

  private constructor(url: string, endpoint: string, take: () => Promise<Snapshot>) {
    this.url = url;
    this.#endpoint = endpoint;
    this.#take = take;
  }

  /** @param t ends it: the context of a test, for example. */
  static async open(t: { after(end: () => unknown): void }, service: Service): Promise<StaleLists> {
    const { bucket, endpoint, region, credentials } = service;
    const direct = new Bucket({ bucket, prefix: '', endpoint, region, credentials, pathStyle: true });
    const server = createServer((incoming, outgoing) => void stale.#handle(incoming, outgoing));
    server.on('checkContinue', (incoming, outgoing) => void stale.#handle(incoming, outgoing));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stale = new StaleLists(url, endpoint, () => takeSnapshot(direct));
    t.after(async () => {
      server.closeAllConnections();
      server.close();
      await stale.#taking.catch(() => {});
      direct.close();
    });
    return stale;
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', this.#endpoint);
    const list = incoming.method === 'GET' ? this.#answerList(url) : null;
    if (list) {
      incoming.resume();
      outgoing.writeHead(list.status, { 'content-type': 'application/xml' }).end(list.body);
      return;
    }
    const { expect, ...headers } = incoming.headers;
    if (expect) outgoing.writeContinue();
    const forwarded = request(this.#endpoint, { method: incoming.method, path: incoming.url, headers });
    forwarded.on('response', (answer) => void this.#pass(incoming, answer, outgoing));
    forwarded.on('error', () => incoming.socket.destroy());
    await pipeline(incoming, forwarded).catch(() => forwarded.destroy());
  }

  /** A change is in the history before its answer comes. */
  async #pass(incoming: IncomingMessage, answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const isChange = incoming.method !== 'GET' && incoming.method !== 'HEAD' && (answer.statusCode ?? 500) < 300;
    if (isChange) {
      this.#taking = this.#taking.then(async () => this.#snapshots.push(await this.#take()));
      await this.#taking;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    await pipeline(answer, outgoing).catch(() => {});
  }

  /** @returns null: it is no list, or it is to be as it is. */
  #answerList({ searchParams: query }: URL): { status: number; body: string } | null {
    const isOfObjects = query.get('list-type') === '2';
    const isOfMultiparts = query.has('uploads');
    const id = query.get('uploadId');
    if (!isOfObjects && !isOfMultiparts && id === null) return null;
    this.counts.lists++;
    if (this.lag === 0) return null;
    const print = (snapshot: Snapshot) => {
      const prefix = query.get('prefix') ?? '';
      if (isOfObjects) return printObjects(snapshot, prefix);
      if (isOfMultiparts) return printMultiparts(snapshot, prefix);
      return printParts(snapshot, id as string, Number(query.get('part-number-marker') ?? 0));
    };
    const now = this.#snapshots.length - 1;
    const [old, current] = [Math.max(0, now - this.lag), now].map((at) => print(this.#snapshots[at] as Snapshot));
    if (old !== current) this.counts.stale++;
    return old === null || old === undefined ? { status: 404, body: NO_SUCH_UPLOAD } : { status: 200, body: old };
  }
}

async function takeSnapshot(direct: Bucket): Promise<Snapshot> {
  const { client, name: Bucket } = direct;
  const objects: { key: string; sizeBytes: number }[] = [];
  for await (const page of paginateListObjectsV2({ client: client as S3Client }, { Bucket })) {
    for (const { Key = '', Size = 0 } of page.Contents ?? []) objects.push({ key: Key, sizeBytes: Size });
  }
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  const multiparts = await Promise.all(
    Uploads.map(async ({ Key: key = '', UploadId: id = '', Initiated: startedAt = new Date() }) => {
      return { key, id, startedAt, parts: (await listParts(direct, key, id)) ?? [] };
    }),
  );
  return { objects, multiparts };
}

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';
const XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const NO_SUCH_UPLOAD = `${HEAD}<Error><Code>NoSuchUpload</Code><Message>not listed yet</Message></Error>`;

function printObjects({ objects }: Snapshot, prefix: string): string {
  const found = objects.filter(({ key }) => key.startsWith(prefix));
  const contents = found.map(({ key, sizeBytes }) => `<Contents><Key>${key}</Key><Size>${sizeBytes}</Size></Contents>`);
  return `${HEAD}<ListBucketResult ${XMLNS}><KeyCount>${found.length}</KeyCount><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
}

function printMultiparts({ multiparts }: Snapshot, prefix: string): string {
  const found = multiparts.filter(({ key }) => key.startsWith(prefix));
  const uploads = found.map(
    ({ key, id, startedAt }) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${startedAt.toISOString()}</Initiated></Upload>`,
  );
  return `${HEAD}<ListMultipartUploadsResult ${XMLNS}><IsTruncated>false</IsTruncated>${uploads.join('')}</ListMultipartUploadsResult>`;
}

/** @returns null: there is no such multipart upload. */
function printParts({ multiparts }: Snapshot, id: string, afterNumber: number): string | null {
  const found = multiparts.find((each) => each.id === id);
  if (!found) return null;
  const parts = found.parts.filter(({ number }) => number > afterNumber);
  const printed = parts.map(
    ({ number, etag, sizeBytes, checksum }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag><Size>${sizeBytes}</Size>${
        checksum === null ? '' : `<ChecksumSHA256>${checksum}</ChecksumSHA256>`
      }</Part>`,
  );
  return `${HEAD}<ListPartsResult ${XMLNS}><UploadId>${id}</UploadId><IsTruncated>false</IsTruncated>${printed.join('')}</ListPartsResult>`;
}
