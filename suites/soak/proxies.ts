/** The proxy of suites/faults for a soak: it never runs out of faults, and most connections meet none. */
import { startProxy } from '../faults/proxy.ts';
import type { Random } from '../faults/random.ts';
import { type Fault, writeScript } from '../faults/script.ts';

const MIB = 1024 * 1024;
const TERMS = { sizeBytes: 16 * MIB, stallMs: 4_000 };
/** Connections without a fault after one with a fault. */
const MOST_GOOD = 8;
/** For clients without time limits. */
const LONGEST_STALL_MS = 1_500;
/** Those of the scripts are for single clients: here, all that share the proxy wait. */
const LONGEST_REFUSAL_MS = 800;

/** @param allows which faults come. */
function* writeFaults(random: Random, allows: 'all' | 'cuts'): Generator<Fault | undefined> {
  for (;;) {
    for (const fault of writeScript(random.whole(0, 2 ** 31), TERMS)) {
      if (fault.kind === 'flip' && allows === 'cuts') continue;
      for (let good = random.whole(1, MOST_GOOD); good > 0; good--) yield undefined;
      yield fit(fault, allows);
    }
  }
}

function fit(fault: Fault, allows: 'all' | 'cuts'): Fault {
  if (fault.kind === 'refuse') return { ...fault, forMs: Math.min(fault.forMs, LONGEST_REFUSAL_MS) };
  if (fault.kind !== 'stall' || allows === 'all') return fault;
  return { ...fault, forMs: Math.min(fault.forMs ?? LONGEST_STALL_MS, LONGEST_STALL_MS) };
}

export async function startBadProxy(url: string, random: Random, allows: 'all' | 'cuts', onFault: () => void) {
  return await startProxy(url, writeFaults(random, allows), onFault);
}
