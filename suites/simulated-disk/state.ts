/** What is on a disk: after a power loss, or without one. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../faults/random.ts';
import type { History, Node } from './history.ts';
import { keepBytes, loseBytes } from './lost-bytes.ts';
import { loseNames, type Names, type Order } from './lost-names.ts';

/** Paths below the folder, without a slash before them. A folder has no bytes. */
export type DiskState = Map<string, { readonly mode: number; readonly bytes: Buffer | null }>;

/** @param at a line of the list: what began after it did not happen. */
export function losePower(history: History, at: number, order: Order, random: Random): DiskState {
  const names = loseNames(history, at, order, random);
  return collect(history.root, names, (file) => loseBytes(file, at, random));
}

/** As the program has left it, without a power loss. */
export function replayAll(history: History): DiskState {
  const modes = new Map(history.nameChanges.flatMap((change) => change.modes.map(({ node, mode }) => [node, mode])));
  const of = new Map(history.nodes.map((node) => [node, node.names]));
  return collect(history.root, { of, modes }, keepBytes);
}

function collect(root: Node, { of, modes }: Names, read: (file: Node) => Buffer): DiskState {
  const state: DiskState = new Map();
  // A file under two names has the same bytes.
  const bytes = new Map<Node, Buffer>();
  const visit = (folder: Node, path: string) => {
    for (const [name, node] of of.get(folder) ?? []) {
      const inside = join(path, name);
      if (node.kind === 'file' && !bytes.has(node)) bytes.set(node, read(node));
      state.set(inside, { mode: modes.get(node) ?? node.mode, bytes: bytes.get(node) ?? null });
      if (node.kind === 'folder') visit(node, inside);
    }
  };
  visit(root, '');
  return state;
}

/** @param folder is there and empty. */
export function writeState(state: DiskState, folder: string): void {
  for (const [path, { mode, bytes }] of state) {
    const target = join(folder, path);
    if (bytes) writeFileSync(target, bytes);
    else mkdirSync(target);
    chmodSync(target, mode);
  }
}

export function readState(folder: string): DiskState {
  const state: DiskState = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const bytes = entry.isFile() ? readFileSync(path) : null;
    state.set(path.slice(folder.length + 1), { mode: lstatSync(path).mode & 0o777, bytes });
  }
  return state;
}
