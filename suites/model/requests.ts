/** A call with everything that the model decides when it is made: which upload, which offset, which bytes. */
import { partExtent } from '@cryolift/protocol/plan';
import type { UploadState } from '@cryolift/protocol/states';
import { bytesOf, sha256, type Variant, WRONG_SHA256 } from './content.ts';
import { type Append, type Call, type Declared, idOf, ownerOf, type Part } from './operations.ts';
import { type Model, type ModelUpload, type Owner, offsetOf, partCountOf } from './reference/model.ts';

/** What `init` and the creation of tus ask for. */
export interface NewUpload {
  readonly owner: Owner;
  readonly sizeBytes: number;
  readonly content: number;
  /** Hex; null: not declared. */
  readonly sha256: string | null;
  readonly fingerprint: string | null;
  readonly key: string | null;
}

interface OfUpload {
  /** Who asks. */
  readonly owner: Owner;
  readonly uploadId: string;
}

export interface PartRequest extends OfUpload {
  readonly kind: 'part';
  readonly content: number;
  readonly idx: number;
  readonly offset: number;
  readonly length: number;
  readonly variant: Variant;
  readonly sha256: string | null;
}

export interface AppendRequest extends OfUpload {
  readonly kind: 'append';
  readonly content: number;
  readonly offset: number;
  readonly length: number;
  readonly variant: Variant;
  readonly checksum: Declared;
}

export interface CompleteRequest extends OfUpload {
  readonly kind: 'complete';
  readonly sha256: string | null;
}

export type Request =
  | (NewUpload & { readonly kind: 'init' | 'create' })
  | PartRequest
  | AppendRequest
  | CompleteRequest
  | (OfUpload & { readonly kind: 'cancel' | 'show' | 'parts' | 'head' | 'terminate' })
  | (OfUpload & { readonly kind: 'download' | 'delete'; readonly fileId: string })
  | { readonly kind: 'list'; readonly owner: Owner; readonly status: UploadState | null }
  | { readonly kind: 'files' | 'limits'; readonly owner: Owner }
  | { readonly kind: 'sweep' };

/** @returns undefined when the model has nothing that the call is about. */
export function resolve(model: Model, call: Call): Request | undefined {
  switch (call.kind) {
    case 'init':
    case 'create':
      return resolveNew(model, call);
    case 'list':
    case 'files':
    case 'limits':
    case 'sweep':
      return call;
    default:
      return resolveOfUpload(model, call);
  }
}

function resolveNew(model: Model, call: Call & { kind: 'init' | 'create' }): Request {
  const { kind, owner, declared } = call;
  const size = call.size % model.limits.sizes.length;
  const sizeBytes = model.limits.sizes[size] ?? 0;
  const { fingerprint, key } = call.kind === 'init' ? call : { fingerprint: null, key: null };
  // The same file each time for a fingerprint or a key.
  const name = fingerprint ?? key;
  const content = name === null ? 1000 + model.contents++ : Buffer.from(name).readUInt16BE() * 8 + size;
  const digest = declaredDigest(declared, () => bytesOf(content, 0, 0, sizeBytes));
  return { kind, owner, sizeBytes, content, sha256: digest, fingerprint, key };
}

function declaredDigest(declared: Declared, bytes: () => Uint8Array): string | null {
  if (declared === 'none') return null;
  return declared === 'right' ? sha256(bytes()) : WRONG_SHA256;
}

function resolveOfUpload(model: Model, call: Exclude<Call, { owner: Owner } | { kind: 'sweep' }>): Request | undefined {
  const id = idOf(model, call);
  if (id === undefined) return undefined;
  const upload = model.uploads.get(id);
  const file = model.files.get(id);
  // An upload that the server has forgotten is asked for, too; its file stays.
  const owner = (upload ?? file)?.owner ?? 'ada';
  const common = { owner: ownerOf({ owner }, call), uploadId: id };
  switch (call.kind) {
    case 'part':
      return upload && resolvePart(model, upload, call, common);
    case 'append':
      return upload && resolveAppend(model, upload, call, common);
    case 'complete': {
      const bytes = () => (upload ? bytesOf(upload.content, 0, 0, upload.sizeBytes) : Buffer.alloc(0));
      return { kind: 'complete', ...common, sha256: declaredDigest(call.digest, bytes) };
    }
    case 'download':
    case 'delete': {
      const fileId = upload?.fileId ?? file?.id;
      return fileId ? { kind: call.kind, ...common, fileId } : undefined;
    }
    default:
      return { kind: call.kind, ...common };
  }
}

function resolvePart(model: Model, upload: ModelUpload, call: Part, common: OfUpload): PartRequest {
  const { limits } = model;
  const count = partCountOf(limits, upload);
  const idx = call.idx % (count + 1);
  // The part behind the last one would have the size of every part.
  const extent =
    idx < count ? partExtent(upload.sizeBytes, limits.partBytes, idx) : { offset: 0, length: limits.partBytes };
  const length = call.isShort ? extent.length - 1 : extent.length;
  const { variant } = call;
  const { content } = upload;
  // A wrong digest is that of the other bytes: it may be the one that is stored.
  const other = variant === 0 ? 1 : 0;
  const digestOf = (which: Variant) => sha256(bytesOf(content, which, extent.offset, length));
  const digest = call.digest === 'none' ? null : digestOf(call.digest === 'right' ? variant : other);
  return { kind: 'part', ...common, content, idx, offset: extent.offset, length, variant, sha256: digest };
}

function resolveAppend({ limits }: Model, upload: ModelUpload, call: Append, common: OfUpload): AppendRequest {
  const right = offsetOf(upload);
  const offset = { right, behind: Math.max(0, right - 1), ahead: right + 1 }[call.at];
  const rest = Math.max(1, upload.sizeBytes - right);
  const some = typeof call.length === 'number' ? Math.floor((limits.partBytes / 4) * call.length) : 0;
  const length = call.length === 'rest' ? rest : call.length === 'beyond' ? rest + 1 : Math.min(rest, some);
  const { content } = upload;
  return { kind: 'append', ...common, content, offset, length, variant: call.variant, checksum: call.checksum };
}
