/** Bytes that are stored beside a published file, in its folder. */
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { UploadError } from '@cryolift/protocol/errors';
import { BytesGone } from '../errors.ts';
import type { FilePlace } from '../places.ts';
import { CREATE, type FileHandle } from './file-system.ts';
import { type DiskLayout, orNull } from './layout.ts';
import type { Writers } from './threads/writers.ts';

/** Of an attempt that has not ended. */
const UNFINISHED = /^\.[0-9a-f-]{36}\.part$/;

/** As `NamedFiles.writeBeside`. */
export async function writeBeside(
  layout: DiskLayout,
  writers: Writers,
  at: FilePlace,
  bytes: AsyncIterable<Buffer>,
): Promise<void> {
  const { calls } = layout;
  const path = layout.published(at);
  const folder = dirname(path);
  // What a killed process has left. An attempt of another server that is still running fails then, and is repeated.
  for (const name of await calls.list(folder)) if (UNFINISHED.test(name)) await calls.remove(join(folder, name));
  const part = join(folder, `.${randomUUID()}.part`);
  try {
    const target = await calls.open(part, CREATE);
    try {
      await fill(writers, target, bytes);
      await calls.sync(target);
    } finally {
      await calls.close(target);
    }
    await calls.setMode(part, 0o400);
    await giveName(layout, part, at);
  } catch (error) {
    await calls.remove(part).catch(() => {});
    throw error;
  }
  await layout.syncFolder(folder);
}

/** As `NamedFiles.removeName`. */
export async function removeName(layout: DiskLayout, at: FilePlace): Promise<void> {
  const path = layout.published(at);
  await layout.calls.remove(path);
  // Also when there was nothing to remove: an earlier attempt may have been interrupted here.
  await orNull(layout.syncFolder(dirname(path)));
}

async function fill(writers: Writers, { fd }: FileHandle, bytes: AsyncIterable<Buffer>): Promise<void> {
  const sink = writers.open({ fd, offset: 0, onWritten() {}, whenWritable: () => undefined, onSettled() {} });
  try {
    for await (const chunk of bytes) await sink.write(chunk);
    await sink.commit();
  } finally {
    await sink.abort();
  }
}

/** A name that is taken stays as it is. */
async function giveName(layout: DiskLayout, part: string, at: FilePlace): Promise<void> {
  const { calls } = layout;
  const path = layout.published(at);
  try {
    await calls.link(part, path);
    await calls.remove(part);
  } catch (error) {
    if (error instanceof BytesGone || !(error instanceof UploadError)) throw error;
    const isTaken = (await orNull(calls.sizeOf(path))) !== null;
    if (isTaken) await calls.remove(part);
    // The file system has no links.
    else await calls.rename(part, path);
  }
}
