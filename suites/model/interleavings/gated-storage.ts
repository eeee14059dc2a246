/** A storage in memory whose calls wait at the gate. A write may come late, but not after `abort` has ended. */
import type { MemoryStorage } from '../../../packages/server/src/storage/memory/memory-storage.ts';
import type { PieceStorage } from '../../../packages/server/src/storage/pieces.ts';
import type { Storage } from '../../../packages/server/src/storage/storage.ts';
import type { PartSink, UploadStorage } from '../../../packages/server/src/storage/upload-storage.ts';
import type { Gate } from './gate.ts';

export function gateStorage(memory: MemoryStorage, gate: Gate): Storage {
  const uploads = gateUploads(memory.uploads, gate);
  const pieces = gatePieces(memory.pieces, gate);
  return new Proxy(memory, {
    get(target, name) {
      if (name === 'uploads') return uploads;
      if (name === 'pieces') return pieces;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function gateUploads(inner: UploadStorage, gate: Gate): UploadStorage {
  return {
    limits: inner.limits,
    hasRefs: inner.hasRefs,
    fileIdOf: (id) => inner.fileIdOf(id),
    openSink: (...args) => gate.around('open sink', async () => gateSink(await inner.openSink(...args), gate)),
    create: (upload) => gate.around('create', () => inner.create(upload)),
    renew: (upload) => gate.around('renew', () => inner.renew(upload)),
    findLost: (...args) => gate.around('find lost', () => inner.findLost(...args)),
    assemble: (...args) => gate.around('assemble', () => inner.assemble(...args)),
    digest: (...args) => gate.around('digest', () => inner.digest(...args)),
    publish: (...args) => gate.around('publish', () => inner.publish(...args)),
    publishCopy: (...args) => gate.around('publish copy', () => inner.publishCopy(...args)),
    withdraw: (...args) => gate.around('withdraw', () => inner.withdraw(...args)),
    discard: (upload) => gate.around('discard', () => inner.discard(upload)),
    list: () => gate.around('list', () => inner.list()),
  };
}

function gatePieces(inner: PieceStorage, gate: Gate): PieceStorage {
  return {
    maxBytes: inner.maxBytes,
    open: (...args) => gate.around('open piece', async () => gateSink(await inner.open(...args), gate)),
    hash: (...args) => gate.around('hash piece', () => inner.hash(...args)),
    read: (...args) => inner.read(...args),
    resize: (upload) => gate.around('resize', () => inner.resize(upload)),
    remove: (...args) => gate.around('remove pieces', () => inner.remove(...args)),
    discard: (id) => gate.around('discard pieces', () => inner.discard(id)),
    list: () => gate.around('list pieces', () => inner.list()),
  };
}

function gateSink(sink: PartSink | 'lost', gate: Gate): PartSink | 'lost' {
  if (sink === 'lost') return sink;
  let writing: Promise<void> = Promise.resolve();
  return {
    write(bytes) {
      // The caller reuses its memory.
      const own = Buffer.from(bytes);
      const written = writing.then(() => gate.around('write', async () => void (await sink.write(own))));
      writing = written.catch(() => {});
      return written;
    },
    async commit() {
      await writing;
      return await gate.around('commit', () => sink.commit());
    },
    async abort() {
      await writing;
      await gate.around('abort', () => sink.abort());
    },
  };
}
