/** Pictures of MRC files: drawn on request, and cached for some time. */
import type { PreviewRequest } from '@cryolift/mrc';
import { LRUCache } from 'lru-cache';
import type { FilePlace, StagedUpload } from '../storage/places.ts';
import type { Storage } from '../storage/storage.ts';
import { FairQueue } from './fair-queue.ts';
import type { MrcAnalyzer } from './mrc-analyzer.ts';
import { nameOf } from './picture-request.ts';
import type { Rendered } from './result.ts';
import { SharedRender } from './shared-render.ts';
import { fileTarget, uploadTarget } from './target.ts';

const LIMITS = { max: 4, maxLong: 2, maxPerOwner: 2, maxWaitingPerOwner: 8, maxWaiting: 256 };
/** For a file larger than this, a picture that needs the whole file counts as long work. */
const LONG_BYTES = 256 * 1024 * 1024;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** The caller of a request for a picture. */
export interface Viewer {
  /** The account whose share of the server is used. */
  readonly account: string;
  /** Aborted when the client closes the connection. */
  readonly signal: AbortSignal;
  /** How long the request waits; then the client may repeat it. */
  readonly waitMs: number;
}

type Drawn = Rendered | 'late' | 'overloaded';

/** Pictures that are being drawn, each once, and recent pictures. */
export class Previews {
  readonly #storage: Storage;
  readonly #analyzer: MrcAnalyzer;
  readonly #drawing = new Map<string, SharedRender<Rendered>>();
  readonly #queue = new FairQueue(LIMITS);
  readonly #kept = new LRUCache<string, Rendered & { kind: 'png' }>({
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: ({ png }) => png.length,
  });

  constructor(storage: Storage, analyzer: MrcAnalyzer) {
    this.#storage = storage;
    this.#analyzer = analyzer;
  }

  /**
   * @returns 'overloaded' when too many wait. @throws the errors of the storage, and the reason of the viewer's signal.
   */
  async ofFile(file: FilePlace, request: PreviewRequest, viewer: Viewer): Promise<Drawn> {
    const name = nameOf(request, file);
    const key = `${file.fileId}/${name}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const stored = await this.#storage.previews.read(file.fileId, name);
    return stored ? this.#keep(key, { kind: 'png', png: stored }) : await this.#draw(key, file, request, viewer);
  }

  /** A picture of an upload, whose bytes may still change after a disk failure: kept only while it is drawn. */
  async ofUpload(upload: StagedUpload, request: PreviewRequest, viewer: Viewer): Promise<Drawn> {
    return await this.#draw(`${upload.id}/${nameOf(request, upload)}`, upload, request, viewer);
  }

  async #draw(key: string, of: FilePlace | StagedUpload, request: PreviewRequest, viewer: Viewer): Promise<Drawn> {
    const known = this.#drawing.get(key);
    const drawing = known && !known.isCancelled ? known : this.#begin(key, of, request, viewer.account);
    return drawing === 'overloaded' ? drawing : await drawing.wait(viewer.signal, viewer.waitMs);
  }

  #begin(
    key: string,
    of: FilePlace | StagedUpload,
    request: PreviewRequest,
    account: string,
  ): SharedRender<Rendered> | 'overloaded' {
    let turn: Promise<Rendered> | null = null;
    const drawing = new SharedRender((signal) => {
      turn = this.#queue.take(account, isLong(of, request), signal, () => this.#render(of, request, signal));
      return turn ?? Promise.reject(new Error('too many requests wait'));
    });
    if (!turn) return 'overloaded';
    this.#drawing.set(key, drawing);
    const forget = () => {
      if (this.#drawing.get(key) === drawing) this.#drawing.delete(key);
    };
    (turn as Promise<Rendered>).then((drawn) => ('fileId' in of ? this.#keep(key, drawn) : drawn)).then(forget, forget);
    return drawing;
  }

  async #render(of: FilePlace | StagedUpload, request: PreviewRequest, signal: AbortSignal): Promise<Rendered> {
    const { staged } = this.#storage;
    if ('fileId' in of) return await this.#analyzer.render(await fileTarget(this.#storage, of), request, signal);
    if (staged) return await this.#analyzer.render(uploadTarget(staged, of), request, signal);
    return {
      kind: 'refused',
      code: 'not_applicable',
      message: 'This storage has no pictures before a file is complete.',
    };
  }

  #keep(key: string, drawn: Rendered): Rendered {
    if (drawn.kind === 'png') this.#kept.set(key, drawn);
    return drawn;
  }
}

/** True when much of a large file, or a row of each of its sections, is read for it. */
function isLong({ sizeBytes }: FilePlace | StagedUpload, { kind, axis, slice, slab = 1 }: PreviewRequest): boolean {
  if (sizeBytes <= LONG_BYTES) return false;
  if (kind === 'section') return axis !== 'z' || slab > 1;
  return kind === 'average' || kind === 'means' || (kind !== 'montage' && slice === null);
}
