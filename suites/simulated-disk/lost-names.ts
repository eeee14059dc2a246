/** Which changes of names and modes a disk has after a power loss. */
import type { Random } from '../faults/random.ts';
import type { History, NameChange, Node } from './history.ts';

/**
 * `journal`: changes get to the disk in their order, and a flush takes along all that came before what it flushes, as in
 * ext4 and XFS. `names`: a flush of a folder takes the names in that folder and nothing else; all other names get there
 * in any order, or not at all. That is as much as POSIX promises.
 */
export type Order = 'journal' | 'names';

/** The names that each folder has, and the modes. */
export interface Names {
  readonly of: ReadonlyMap<Node, ReadonlyMap<string, Node>>;
  readonly modes: ReadonlyMap<Node, number>;
}

/** The last moment before `at` whose changes a flush of the node has brought to the disk; -1: there is none. */
export function flushedUntil({ flushes }: Node, at: number): number {
  // What had not ended when the flush began may have been too late for it.
  return flushes.reduce((last, { began, ended }) => (ended <= at ? Math.max(last, began) : last), -1);
}

export function loseNames(history: History, at: number, order: Order, random: Random): Names {
  const done = history.nameChanges.filter(({ began }) => began <= at);
  const kept = order === 'journal' ? keepInOrder(done, at, random) : keepByFolder(done, at, random);
  const of = new Map<Node, Map<string, Node>>();
  const modes = new Map<Node, number>();
  for (const change of done.filter((each) => kept.has(each))) {
    for (const { folder, name, node } of change.names) {
      const names = of.get(folder) ?? new Map<string, Node>();
      of.set(folder, names);
      if (node) names.set(name, node);
      else names.delete(name);
    }
    for (const { node, mode } of change.modes) modes.set(node, mode);
  }
  return { of, modes };
}

function keepInOrder(done: readonly NameChange[], at: number, random: Random): Set<NameChange> {
  const kept = new Set<NameChange>();
  for (const changes of Map.groupBy(done, ({ volume }) => volume).values()) {
    const least = changes.findLastIndex(({ ended, nodes }) => nodes.some((node) => ended < flushedUntil(node, at))) + 1;
    const count = random.pick([least, changes.length, random.whole(least, changes.length)]);
    for (const change of changes.slice(0, count)) kept.add(change);
  }
  return kept;
}

function keepByFolder(done: readonly NameChange[], at: number, random: Random): Set<NameChange> {
  const share = random.pick([0, 0.5, 1]);
  const kept = new Set<NameChange>();
  // The last state of a name brings along what was done to the name before.
  const settled = new Map<Node, Set<string>>();
  for (const change of done.toReversed()) {
    const { names, modes, ended } = change;
    const isFlushed =
      names.some(({ folder }) => ended < flushedUntil(folder, at)) ||
      modes.some(({ node }) => ended < flushedUntil(node, at));
    const isBefore =
      names.some(({ folder, name }) => settled.get(folder)?.has(name)) || modes.some(({ node }) => settled.has(node));
    if (!isFlushed && !isBefore && !random.chance(share)) continue;
    kept.add(change);
    for (const { folder, name } of names) settled.set(folder, (settled.get(folder) ?? new Set()).add(name));
    for (const { node } of modes) settled.set(node, settled.get(node) ?? new Set());
  }
  return kept;
}
