/** What clients, operators and the time do to a server, as plain values that fast-check makes and shrinks. */
import type { UploadState } from '@cryolift/protocol/states';
import type { Variant } from './content.ts';
import type { Model, ModelUpload, Owner } from './reference/model.ts';

/** A digest that a request declares: none, that of its bytes (of the file that is meant), or one of other bytes. */
export type Declared = 'none' | 'right' | 'wrong';

/** Of an upload, counted from the first in the order of creation, modulo their number. */
interface OfUpload {
  readonly upload: number;
  /** The other owner asks. */
  readonly isStranger: boolean;
}

interface Init {
  readonly kind: 'init';
  readonly owner: Owner;
  /** Index of the sizes of `Limits`. */
  readonly size: number;
  readonly declared: Declared;
  readonly fingerprint: string | null;
  readonly key: string | null;
}

export interface Part extends OfUpload {
  readonly kind: 'part';
  /** Modulo the number of parts and one more, which the upload does not have. */
  readonly idx: number;
  readonly variant: Variant;
  readonly digest: Declared;
  readonly isShort: boolean;
}

export interface Complete extends OfUpload {
  readonly kind: 'complete';
  readonly digest: Declared;
}

interface Create {
  readonly kind: 'create';
  readonly owner: Owner;
  readonly size: number;
  readonly declared: Declared;
}

export interface Append extends OfUpload {
  readonly kind: 'append';
  readonly at: 'right' | 'behind' | 'ahead';
  /** In quarters of a part, or all that is missing, or one byte more. */
  readonly length: number | 'rest' | 'beyond';
  readonly variant: Variant;
  readonly checksum: Declared;
}

export interface OnUpload extends OfUpload {
  readonly kind: 'cancel' | 'show' | 'parts' | 'head' | 'terminate';
}

export interface OnFile extends OfUpload {
  /** Of the file of the upload. */
  readonly kind: 'download' | 'delete';
}

interface List {
  readonly kind: 'list';
  readonly owner: Owner;
  /** Null: all. */
  readonly status: UploadState | null;
}

interface ListFiles {
  readonly kind: 'files';
  readonly owner: Owner;
}

interface Limits {
  readonly kind: 'limits';
  readonly owner: Owner;
}

interface Sweep {
  readonly kind: 'sweep';
}

export type Call = Init | Part | Complete | Create | Append | OnUpload | OnFile | List | ListFiles | Limits | Sweep;

export interface Time {
  /** `pass`: all clocks go on; `jump`: the wall clock is set. */
  readonly kind: 'pass' | 'jump';
  readonly minutes: number;
}

export interface Restart {
  readonly kind: 'restart';
}

/** The upload that is meant; undefined: there is none, and the command is left out. */
export function idOf(model: Model, { upload }: OfUpload): string | undefined {
  return model.ids[upload % Math.max(1, model.ids.length)];
}

export function ownerOf({ owner }: Pick<ModelUpload, 'owner'>, { isStranger }: OfUpload): Owner {
  if (!isStranger) return owner;
  return owner === 'ada' ? 'bob' : 'ada';
}

export function isOfUpload(call: Call): call is Part | Complete | Append | OnUpload | OnFile {
  return 'upload' in call;
}

/** One short line. */
export function print(operation: Call | Time | Restart): string {
  const { kind, ...fields } = operation;
  const shown = Object.entries(fields).filter(([, value]) => value !== null && value !== false && value !== 'none');
  return [kind, ...shown.map(([name, value]) => `${name}:${value}`)].join(' ');
}
