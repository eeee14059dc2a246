/** Why the uploads of the page wait all together. */
import type { Connectivity } from '../live/watched-transport.ts';
import { texts } from '../texts.ts';
import { isActive, type Upload } from '../uploads/upload.ts';

/** @param signIn why calls wait for a sign-in; null: they do not. @returns null: bytes are sent, or nothing is left to send. */
export function waitReasonOf(all: readonly Upload[], connectivity: Connectivity, signIn: string | null): string | null {
  const words = texts.wait;
  const active = all.filter(isActive);
  if (active.length === 0) {
    if (all.some(({ state }) => state === 'paused')) return words.paused;
    return all.some(({ state }) => state === 'interrupted') ? words.interrupted : null;
  }
  if (signIn !== null) return signIn;
  if (connectivity !== 'online') return words[connectivity];
  const running = active.filter(({ state }) => state === 'running');
  const [first] = running;
  if (!first?.progress || !running.every(({ progress }) => progress?.lastError)) return null;
  const { lastError, lastErrorCode, offline } = first.progress;
  if (offline) return words.offline;
  return lastErrorCode === 'insufficient_storage' ? words.full : words.because(lastError ?? '');
}
