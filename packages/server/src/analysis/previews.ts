/** Pictures of MRC files: drawn when they are asked for, and kept for a while. */
import { defaultPreviews, type PreviewKind, type PreviewRequest } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { LRUCache } from 'lru-cache';
import type { FilePlace, StagedUpload } from '../storage/places.ts';
import type { Storage } from '../storage/storage.ts';
import { FairQueue } from './fair-queue.ts';
import type { MrcAnalyzer } from './mrc-analyzer.ts';
import type { Rendered } from './result.ts';
import { SharedRender } from './shared-render.ts';
import { fileTarget, uploadTarget } from './target.ts';

const LIMITS = { max: 4, maxLong: 2, maxPerOwner: 2, maxWaitingPerOwner: 8, maxWaiting: 256 };
/** Of a file larger than this, what takes a pass over it takes long. */
const LONG_BYTES = 256 * 1024 * 1024;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

type Mrc = NonNullable<FileRecord['mrc']>;

/** What is asked for; what is left out is chosen by what the file is. */
export interface PictureQuery {
  kind?: PreviewKind | undefined;
  axis?: PreviewRequest['axis'] | undefined;
  slice?: number | undefined;
  /** Pixels of the long side, at most. */
  size?: number | undefined;
  contrast?: PreviewRequest['contrast'] | undefined;
}

/** @returns the whole request, which says everything that the picture depends on. */
export function toPreviewRequest(mrc: Mrc, filename: string, query: PictureQuery): PreviewRequest {
  const usual = defaultPreviews(mrc, filename)[0];
  const kind = query.kind ?? (query.axis || query.slice !== undefined ? 'section' : (usual?.kind ?? 'section'));
  const axis = query.axis ?? 'z';
  const central = Math.floor({ x: mrc.nx, y: mrc.ny, z: mrc.nz }[axis] / 2);
  return {
    kind,
    axis,
    slice: kind === 'section' ? (query.slice ?? central) : null,
    sizePx: query.size ?? 512,
    contrast: query.contrast ?? 'sigma',
  };
}

/** Of the picture among those of its file: safe as a file name and in an ETag. */
export function nameOf(
  { kind, axis, slice, sizePx, contrast }: PreviewRequest,
  { overrides: { mode0 } = {} }: Pick<FilePlace, 'overrides'>,
): string {
  return [kind, ...(kind === 'section' ? [axis, slice] : []), sizePx, contrast, ...(mode0 ? [mode0] : [])].join('-');
}

/** Who asks for a picture. */
export interface Viewer {
  /** Under which name their share of the server is counted. */
  readonly account: string;
  /** They have gone away. */
  readonly signal: AbortSignal;
  /** So long they wait; then they may ask again. */
  readonly waitMs: number;
}

type Drawn = Rendered | 'late' | 'overloaded';

/** Pictures under way, one of a kind at a time, and those that were drawn lately. */
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

  /** @returns 'overloaded' when too many wait. @throws what the store says, and the reason of the viewer's signal. */
  async ofFile(file: FilePlace, request: PreviewRequest, viewer: Viewer): Promise<Drawn> {
    const name = nameOf(request, file);
    const key = `${file.fileId}/${name}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const stored = await this.#storage.previews.read(file.fileId, name);
    return stored ? this.#keep(key, { kind: 'png', png: stored }) : await this.#draw(key, file, request, viewer);
  }

  /** Of an upload whose bytes may still be replaced when a disk fails: kept only while it is being drawn. */
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
      return turn ?? Promise.reject(new Error('too many wait'));
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
    const { prefixes } = this.#storage;
    if ('fileId' in of) return await this.#analyzer.render(fileTarget(this.#storage, of), request, signal);
    if (prefixes) return await this.#analyzer.render(uploadTarget(prefixes, of), request, signal);
    return {
      kind: 'refused',
      code: 'not_applicable',
      message: 'This storage shows no pictures before a file is complete.',
    };
  }

  #keep(key: string, drawn: Rendered): Rendered {
    if (drawn.kind === 'png') this.#kept.set(key, drawn);
    return drawn;
  }
}

/** True when all of a large file, or a row of each of its sections, is read for it. */
function isLong({ sizeBytes }: FilePlace | StagedUpload, { kind, axis }: PreviewRequest): boolean {
  return sizeBytes > LONG_BYTES && (kind === 'average' || (kind === 'section' && axis !== 'z'));
}
