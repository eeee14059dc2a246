/** Pictures of MRC files: drawn when they are asked for, and kept for a while. */
import { defaultPreviews, type PreviewKind, type PreviewRequest } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { FilePlace, PartStore, Rendered, StagedUpload } from '../parts/store.ts';

/** Drawn at the same time or waiting; a picture is small, but some take a pass over the file. */
const MAX_UNDER_WAY = 32;
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

/** Pictures under way, one of a kind at a time, and those that were drawn lately. */
export class Pictures {
  readonly #store: PartStore;
  readonly #drawing = new Map<string, Promise<Rendered>>();
  /** In the order of their last use. */
  readonly #kept = new Map<string, Rendered & { kind: 'png' }>();
  #keptBytes = 0;

  constructor(store: PartStore) {
    this.#store = store;
  }

  /** @returns 'overloaded' when too many are being drawn. @throws what the store says. */
  async ofFile(file: FilePlace, request: PreviewRequest): Promise<Rendered | 'overloaded'> {
    const name = nameOf(request, file);
    const key = `${file.fileId}/${name}`;
    const kept = this.#take(key);
    if (kept) return kept;
    const stored = await this.#store.readPreview(file.fileId, name);
    return stored ? this.#keep(key, { kind: 'png', png: stored }) : await this.#draw(key, file, request);
  }

  /** Of an upload whose bytes may still be replaced when a disk fails: kept only while it is being drawn. */
  async ofUpload(upload: StagedUpload, request: PreviewRequest): Promise<Rendered | 'overloaded'> {
    return await this.#draw(`${upload.id}/${nameOf(request, upload)}`, upload, request);
  }

  async #draw(key: string, of: FilePlace | StagedUpload, request: PreviewRequest): Promise<Rendered | 'overloaded'> {
    let drawing = this.#drawing.get(key);
    if (!drawing) {
      if (this.#drawing.size >= MAX_UNDER_WAY) return 'overloaded';
      drawing = this.#store
        .render(of, request)
        .then((drawn) => ('fileId' in of ? this.#keep(key, drawn) : drawn))
        .finally(() => this.#drawing.delete(key));
      // Nobody may be waiting any more when it fails.
      drawing.catch(() => {});
      this.#drawing.set(key, drawing);
    }
    return await drawing;
  }

  #take(key: string): Rendered | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept;
  }

  #keep(key: string, drawn: Rendered): Rendered {
    if (drawn.kind !== 'png' || this.#kept.has(key)) return drawn;
    this.#kept.set(key, drawn);
    this.#keptBytes += drawn.png.length;
    for (const [oldest, { png }] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= png.length;
    }
    return drawn;
  }
}
