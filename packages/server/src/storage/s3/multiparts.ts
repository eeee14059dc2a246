/** Lists of multipart uploads and of their parts, page by page. */
import { ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import { type Bucket, type ListedPart, unquote } from './bucket.ts';
import { explainS3, isAbsent } from './errors.ts';

/** The greatest page of AWS; others give more when they are asked for more. */
const PAGE = 1000;
/** Space for parts that are listed twice, in a list of few parts. */
const LEAST_PAGE = 100;
/** What comes before part 10000 where the numbers are ordered as text (SeaweedFS). */
const BEFORE_MOST_AS_TEXT = 999;

/**
 * All entries of a multipart upload, some of them for one part: services keep every body that was sent for it (SeaweedFS) or
 * the last one.
 *
 * @param range of part numbers, inclusive; without it, all.
 * @returns null when there is no such multipart upload: it was aborted, or it has become an object.
 */
export async function listParts(
  bucket: Bucket,
  key: string,
  id: string,
  { first: from, last: to } = { first: 1, last: MAX_PART_COUNT },
): Promise<ListedPart[] | null> {
  const listed: ListedPart[] = [];
  const pageSize = Math.min(PAGE, Math.max(LEAST_PAGE, 2 * (to - from + 1)));
  for (let marker = from - 1; ; ) {
    const page = await listPage(bucket, key, id, marker, pageSize);
    if (page === null) return null;
    for (const part of page.parts) if (part.number >= from && part.number <= to) listed.push(part);
    // Some services order the numbers as text, in which 10000 comes before 1000: it says nothing of what follows.
    const ordered = page.parts.filter(({ number }) => number < MAX_PART_COUNT);
    const [first, last] = [ordered[0], ordered.at(-1)];
    if (!page.isTruncated || !first || !last || last.number > to) break;
    // The page may end between two entries of one part, and a marker skips all of them: they are listed again.
    marker = first.number < last.number ? last.number - 1 : last.number;
  }
  const isSkipped = from > BEFORE_MOST_AS_TEXT && to === MAX_PART_COUNT && listed.every(({ number }) => number < to);
  if (isSkipped) {
    const page = await listPage(bucket, key, id, BEFORE_MOST_AS_TEXT, LEAST_PAGE);
    listed.push(...(page?.parts ?? []).filter(({ number }) => number === to));
  }
  return listed;
}

/** Null when there is no such multipart upload. */
async function listPage(
  { client, name }: Bucket,
  key: string,
  id: string,
  marker: number,
  pageSize: number,
): Promise<{ parts: ListedPart[]; isTruncated: boolean } | null> {
  const command = new ListPartsCommand({
    Bucket: name,
    Key: key,
    UploadId: id,
    MaxParts: pageSize,
    ...(marker > 0 ? { PartNumberMarker: String(marker) } : {}),
  });
  const page = await client.send(command).catch((error: unknown) => {
    if (isAbsent(error)) return null;
    throw explainS3(error);
  });
  const parts = page?.Parts?.map(({ PartNumber = 0, ETag = '', Size = 0, ChecksumSHA256 = null }) => ({
    number: PartNumber,
    etag: unquote(ETag),
    sizeBytes: Size,
    checksum: ChecksumSHA256,
  }));
  return page && { parts: parts ?? [], isTruncated: page.IsTruncated ?? false };
}

interface ListedMultipart {
  key: string;
  id: string;
  /** Milliseconds since 1970, by the clock of the service; null: it does not say. */
  createdAtMs: number | null;
}

/** Multipart uploads under way whose keys begin with `prefix`. */
export async function* listMultiparts({ client, name }: Bucket, prefix: string): AsyncGenerator<ListedMultipart> {
  let after: { KeyMarker: string; UploadIdMarker?: string } | null = null;
  do {
    const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
      Bucket: name,
      Prefix: prefix,
      MaxUploads: PAGE,
      ...after,
    });
    const page = await client.send(command).catch((error: unknown) => {
      throw explainS3(error);
    });
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key && UploadId) yield { key: Key, id: UploadId, createdAtMs: Initiated?.getTime() ?? null };
    }
    const { NextKeyMarker, NextUploadIdMarker } = page;
    after =
      page.IsTruncated && NextKeyMarker
        ? { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker ? { UploadIdMarker: NextUploadIdMarker } : {}) }
        : null;
  } while (after);
}
