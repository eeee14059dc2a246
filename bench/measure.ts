/** One load given to one system: what its server process spends on it. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GIB } from '@cryolift/protocol/plan';
import type { Load } from './load.ts';
import { type CpuTime, subtract } from './process.ts';
import type { Subject, System } from './systems/system.ts';

/** Until the last part is acknowledged, but for what says otherwise. */
export interface Figures {
  /** CPU seconds of the server for each GiB that was sent. */
  readonly cpu: CpuTime;
  /** Wall seconds for each GiB. */
  readonly seconds: number;
  /** Greatest resident memory of the server, bytes. */
  readonly peakBytes: number;
  readonly completed: Completed | null;
}

/** Until the files are published. */
interface Completed {
  /** From the last acknowledged part on. */
  readonly ms: number;
  /** CPU seconds of the server, and wall seconds, for each GiB, from the first byte on. */
  readonly cpuSeconds: number;
  readonly seconds: number;
}

/** With a fresh server on a fresh folder below `place`; neither is left behind. @throws what starting and sending throw. */
export async function measure(system: System, load: Load, place: string): Promise<Figures> {
  const folder = join(place, system.name);
  await mkdir(folder);
  try {
    const subject = await system.start(folder, load);
    return await measureSubject(subject).finally(() => subject.process.stop());
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureSubject({ process, send, complete }: Subject): Promise<Figures> {
  const before = process.cpu();
  const begin = performance.now();
  const gib = (await send()) / GIB;
  const sent = performance.now();
  const cpu = subtract(process.cpu(), before);
  let completed: Completed | null = null;
  if (complete) {
    await complete();
    const published = performance.now();
    const { user, system } = subtract(process.cpu(), before);
    const seconds = (published - begin) / 1000 / gib;
    completed = { ms: published - sent, cpuSeconds: (user + system) / gib, seconds };
  }
  return {
    cpu: { user: cpu.user / gib, system: cpu.system / gib },
    seconds: (sent - begin) / 1000 / gib,
    peakBytes: process.peakBytes(),
    completed,
  };
}
