/** What a program did to the files below one folder, call by call: what a disk under it has been told, and when. */
import { join, resolve } from 'node:path';
import { readBytes, readVector, type Span, type SystemCall } from './calls.ts';

/** A file, or a folder, under all of its names. */
export interface Node {
  readonly kind: 'file' | 'folder';
  readonly mode: number;
  /** Of the bytes of a file. */
  readonly changes: Change[];
  /** Flushes of it that have succeeded. */
  readonly flushes: Span[];
  /** What a folder has in the end. */
  readonly names: Map<string, Node>;
}

export type Change = Span & ({ readonly offset: number; readonly bytes: Buffer } | { readonly sizeBytes: number });

/** One change of names or of a mode, all of it or nothing: a rename sets two names. */
export interface NameChange extends Span {
  readonly call: string;
  /** Its first name below the root: file systems below it do not wait for each other. */
  readonly volume: string;
  readonly names: readonly { readonly folder: Node; readonly name: string; readonly node: Node | null }[];
  readonly modes: readonly { readonly node: Node; readonly mode: number }[];
  /** What it is about: a flush of any of these has it, in a file system with a journal. */
  readonly nodes: readonly Node[];
}

/** Bytes that were written elsewhere: to a socket, or to a file that is not below the folder. */
export interface Other extends Span {
  readonly path: string | null;
  readonly bytes: Buffer;
}

/** What a descriptor stands for. */
interface Opened {
  /** When the descriptor was returned. */
  readonly from: number;
  readonly path: string;
  /** Of a path below the folder. */
  readonly node: Node | undefined;
  readonly appends: boolean;
  position: number;
}

const MODE_BITS = 0o777;
/** The umask of the server is 077. */
const OWN_BITS = 0o700;

export class History {
  /** The folder. It is on the disk before anything is done. */
  readonly root = makeNode('folder', '0700');
  readonly nameChanges: NameChange[] = [];
  readonly others: Other[] = [];
  readonly nodes: Node[] = [this.root];
  /** Lines at which something happened to the disk. */
  readonly moments: number[] = [];
  readonly #folder: string;
  readonly #opened = new Map<number, Opened>();

  readonly #actions: Readonly<Record<string, (call: SystemCall, ...args: string[]) => void>> = {
    open: (call, path = '', flags = '', mode = '') => this.#open(call, readPath(path), flags, mode),
    openat: (call, at = '', path = '', flags = '', mode = '') => this.#open(call, this.#at(at, path), flags, mode),
    creat: (call, path = '', mode = '') => this.#open(call, readPath(path), 'O_CREAT|O_TRUNC', mode),
    close: ({ began }, fd) => this.#close(Number(fd), began),
    lseek: (call, fd) => this.#seek(call, Number(fd)),
    write: (call, _, bytes = '') => this.#write(call, readBytes(bytes), null),
    writev: (call, _, bytes = '') => this.#write(call, readVector(bytes), null),
    pwrite64: (call, _, bytes = '', _size, offset) => this.#write(call, readBytes(bytes), Number(offset)),
    pwritev: (call, _, bytes = '', _count, offset) => this.#write(call, readVector(bytes), Number(offset)),
    pwritev2: (call, _, bytes = '', _count, offset) => this.#write(call, readVector(bytes), Number(offset)),
    truncate: (call, path = '', size) => this.#resize(call, this.#find(readPath(path)), Number(size)),
    ftruncate: (call, fd, size) => this.#resize(call, this.#opened.get(Number(fd))?.node, Number(size)),
    fsync: (call, fd) => this.#flush(call, Number(fd)),
    fdatasync: (call, fd) => this.#flush(call, Number(fd)),
    mkdir: (call, path = '', mode = '') => this.#add(call, readPath(path), makeNode('folder', mode)),
    mkdirat: (call, at = '', path = '', mode = '') => this.#add(call, this.#at(at, path), makeNode('folder', mode)),
    link: (call, from = '', to = '') => this.#add(call, readPath(to), this.#find(readPath(from))),
    linkat: (call, at = '', from = '', toAt = '', to = '') =>
      this.#add(call, this.#at(toAt, to), this.#find(this.#at(at, from))),
    rename: (call, from = '', to = '') => this.#rename(call, readPath(from), readPath(to)),
    renameat: (call, at = '', from = '', toAt = '', to = '') =>
      this.#rename(call, this.#at(at, from), this.#at(toAt, to)),
    renameat2: (call, at = '', from = '', toAt = '', to = '') =>
      this.#rename(call, this.#at(at, from), this.#at(toAt, to)),
    unlink: (call, path = '') => this.#remove(call, readPath(path)),
    rmdir: (call, path = '') => this.#remove(call, readPath(path)),
    unlinkat: (call, at = '', path = '') => this.#remove(call, this.#at(at, path)),
    chmod: (call, path = '', mode = '') => this.#setMode(call, readPath(path), mode),
    fchmodat: (call, at = '', path = '', mode = '') => this.#setMode(call, this.#at(at, path), mode),
  };

  /** @param calls in the order in which they ended. @param folder absolute. @throws Error for a call that it does not know. */
  constructor(calls: readonly SystemCall[], folder: string) {
    this.#folder = folder;
    for (const call of calls) {
      if (call.result !== null && call.result < 0) continue;
      const action = this.#actions[call.name];
      if (action) action(call, ...call.args);
      else if (call.args.some((arg) => this.#opened.get(Number(arg))?.node)) {
        throw new Error(`${call.name} is not known: ${call.args}`);
      }
    }
  }

  /** @param began a descriptor is free from then on: another thread may have it again before the call ends. */
  #close(fd: number, began: number): void {
    if ((this.#opened.get(fd)?.from ?? 0) <= began) this.#opened.delete(fd);
  }

  #seek({ result }: SystemCall, fd: number): void {
    const opened = this.#opened.get(fd);
    if (opened && result !== null) opened.position = result;
  }

  #flush(call: SystemCall, fd: number): void {
    const node = this.#opened.get(fd)?.node;
    if (node && call.result === 0) this.#note(call, node.flushes, { began: call.began, ended: call.ended });
  }

  #open(call: SystemCall, path: string, flags: string, mode: string): void {
    const fd = call.result;
    let node = this.#find(path);
    if (!node && flags.includes('O_CREAT') && this.#isInside(path)) {
      node = makeNode('file', mode);
      this.#add(call, path, node);
    } else if (node?.kind === 'file' && flags.includes('O_TRUNC')) this.#resize(call, node, 0);
    if (fd === null) return;
    this.#opened.set(fd, { from: call.ended, path, node, appends: flags.includes('O_APPEND'), position: 0 });
  }

  #write(call: SystemCall, bytes: Buffer, position: number | null): void {
    const fd = Number(call.args[0]);
    const written = bytes.subarray(0, call.result ?? bytes.length);
    const { began, ended } = call;
    const opened = this.#opened.get(fd);
    if (!opened?.node) {
      this.others.push({ began, ended, path: opened?.path ?? null, bytes: written });
      return;
    }
    const { node, appends } = opened;
    const offset = position ?? (appends ? sizeOf(node) : opened.position);
    if (position === null) opened.position = offset + written.length;
    if (written.length > 0) this.#note(call, node.changes, { began, ended, offset, bytes: written });
  }

  #resize(call: SystemCall, node: Node | undefined, sizeBytes: number): void {
    const { began, ended } = call;
    if (node) this.#note(call, node.changes, { began, ended, sizeBytes });
  }

  #add(call: SystemCall, path: string, node: Node | undefined): void {
    if (!this.#isInside(path) || !node) return;
    const place = this.#place(path);
    if (!this.nodes.includes(node)) this.nodes.push(node);
    this.#change(call, path, [{ ...place, node }], [place.folder, node]);
  }

  #remove(call: SystemCall, path: string): void {
    const node = this.#find(path);
    if (!node) return;
    const place = this.#place(path);
    this.#change(call, path, [{ ...place, node: null }], [place.folder, node]);
  }

  #rename(call: SystemCall, from: string, to: string): void {
    const node = this.#find(from);
    if (!node) return;
    const [before, after] = [this.#place(from), this.#place(to)];
    const names = [
      { ...before, node: null },
      { ...after, node },
    ];
    this.#change(call, to, names, [before.folder, after.folder, node]);
  }

  #setMode(call: SystemCall, path: string, mode: string): void {
    const node = this.#find(path);
    if (!node) return;
    const modes = [{ node, mode: Number.parseInt(mode, 8) & MODE_BITS }];
    this.#note(call, this.nameChanges, { ...this.#toChange(call, path), names: [], modes, nodes: [node] });
  }

  #toChange({ name, began, ended }: SystemCall, path: string): Pick<NameChange, 'call' | 'volume' | 'began' | 'ended'> {
    const [volume = ''] = path.slice(this.#folder.length + 1).split('/', 1);
    return { call: name, volume, began, ended };
  }

  #change(call: SystemCall, path: string, names: NameChange['names'], nodes: readonly Node[]): void {
    this.#note(call, this.nameChanges, { ...this.#toChange(call, path), names, modes: [], nodes });
    for (const { folder, name, node } of names) {
      if (node) folder.names.set(name, node);
      else folder.names.delete(name);
    }
  }

  #note<Kind extends Span>({ began, ended }: Span, list: Kind[], what: Kind): void {
    list.push(what);
    this.moments.push(began);
    if (Number.isFinite(ended)) this.moments.push(ended);
  }

  #isInside(path: string): boolean {
    return path.startsWith(`${this.#folder}/`);
  }

  #find(path: string): Node | undefined {
    if (path === this.#folder) return this.root;
    if (!this.#isInside(path)) return undefined;
    let node: Node | undefined = this.root;
    for (const name of path.slice(this.#folder.length + 1).split('/')) node = node?.names.get(name);
    return node;
  }

  /** @throws Error when its folder is not there. */
  #place(path: string): { folder: Node; name: string } {
    const folder = this.#find(join(path, '..'));
    if (!folder) throw new Error(`the folder of ${path} is not known`);
    return { folder, name: path.slice(path.lastIndexOf('/') + 1) };
  }

  /** The path of a call that has a descriptor of a folder before it. */
  #at(descriptor: string, path: string): string {
    const found = readBytes(path).toString();
    if (found.startsWith('/') || descriptor === 'AT_FDCWD') return resolve(found);
    const folder = this.#opened.get(Number(descriptor));
    return resolve(folder?.node ? this.#pathOf(folder.node) : (folder?.path ?? '/'), found);
  }

  #pathOf(wanted: Node, node: Node = this.root, path = this.#folder): string {
    if (node === wanted) return path;
    for (const [name, inside] of node.names) {
      const found = inside.kind === 'folder' ? this.#pathOf(wanted, inside, `${path}/${name}`) : '';
      if (found) return found;
    }
    return '';
  }
}

function makeNode(kind: Node['kind'], mode: string): Node {
  return { kind, mode: Number.parseInt(mode, 8) & OWN_BITS, changes: [], flushes: [], names: new Map() };
}

function readPath(printed: string): string {
  return resolve(readBytes(printed).toString());
}

/** With all changes, bytes. */
function sizeOf({ changes }: Node): number {
  return changes.reduce(
    (size, change) => ('bytes' in change ? Math.max(size, change.offset + change.bytes.length) : change.sizeBytes),
    0,
  );
}
