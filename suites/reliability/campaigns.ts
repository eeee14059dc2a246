/** The campaigns: one kind of fault each, so many rounds of it, several on one data folder before it is compared whole. */
import { join } from 'node:path';
import { seedRandom } from '../faults/random.ts';
import { failCallsOnce, failDiskOnce } from './eio.ts';
import { fillOnce } from './full.ts';
import { killOnce, killStarting } from './kills.ts';
import type { Counts } from './ledger.ts';
import { losePowerOnce } from './power.ts';
import { Site } from './site.ts';
import { type Kind, Volume } from './volume.ts';

export const CAMPAIGNS = ['kills', 'power', 'full', 'eio'] as const;
export type CampaignName = (typeof CAMPAIGNS)[number];

/** Faults on one data folder. The more there are, the older is what each of them can hurt. */
export const ROUNDS_PER_SITE: Readonly<Record<CampaignName, number>> = { kills: 25, power: 5, full: 5, eio: 5 };

/** What file systems a campaign needs. */
export const VOLUMES: Readonly<Record<CampaignName, readonly Kind[]>> = {
  kills: [],
  power: ['ext4', 'xfs'],
  full: ['ext4', 'xfs', 'tmpfs'],
  eio: ['ext4', 'xfs'],
};

export interface SiteResult {
  readonly seed: number;
  /** Which variety of the campaign. */
  readonly what: string;
  /** Faults inflicted. */
  readonly rounds: number;
  readonly counts: Counts;
  readonly answers: number;
  /** Starts on a full disk that were refused with a clear message. */
  readonly refusedStarts: number;
  /** What the server did and must not do. */
  readonly faults: readonly string[];
  /** Where the ledger's evidence is, when there are faults. */
  readonly evidence: string | null;
}

/** Inflicts `rounds` faults on one new data folder. @param nth of its campaign, which picks the variety. */
export async function runSite(name: CampaignName, seed: number, rounds: number, nth: number): Promise<SiteResult> {
  const varieties = VARIETIES[name];
  const variety = varieties[nth % varieties.length] as Variety;
  const volume = variety.kind ? Volume.create(variety.kind, name === 'full' ? 'small' : 'normal') : null;
  const random = seedRandom(seed);
  try {
    const site = await openSite(name, seed, variety, volume);
    let refusedStarts = 0;
    let done = 0;
    try {
      while (done < rounds && site.ledger.faults.length === 0) {
        if (name === 'kills') await (random.chance(0.1) ? killStarting(site) : killOnce(site));
        else if (name === 'eio') await (volume ? failDiskOnce(site, volume) : failCallsOnce(site));
        else if (name === 'power') await losePowerOnce(site, volume as Volume, variety.boot ?? 'new');
        else if (await fillOnce(site, volume as Volume)) refusedStarts++;
        done++;
      }
      await site.close();
    } catch (error) {
      site.ledger.noteFault(null, `the round failed: ${(error as Error).stack}`);
    }
    const { counts, faults } = site.ledger;
    const folder = await site.discard(faults.length > 0);
    if (volume && faults.length > 0) volume.copyTo(join(folder, 'volume'));
    const evidence = faults.length > 0 ? folder : null;
    return {
      seed,
      what: variety.what,
      rounds: done,
      counts,
      answers: site.caller.answers,
      refusedStarts,
      faults,
      evidence,
    };
  } finally {
    volume?.remove();
  }
}

interface Variety {
  readonly what: string;
  readonly kind?: Kind;
  readonly boot?: 'same' | 'new';
  /** What is on the volume; all when not given. */
  readonly has?: 'database' | 'bytes';
}

const VARIETIES: Readonly<Record<CampaignName, readonly Variety[]>> = {
  kills: [{ what: 'kill -9' }],
  power: [
    { what: 'ext4, same boot id', kind: 'ext4', boot: 'same' },
    { what: 'ext4, new boot id', kind: 'ext4', boot: 'new' },
    { what: 'xfs, same boot id', kind: 'xfs', boot: 'same' },
    { what: 'xfs, new boot id', kind: 'xfs', boot: 'new' },
    // Here the commits of the database do not flush the folders of the files by the way.
    { what: 'ext4, same boot id, the bytes alone', kind: 'ext4', boot: 'same', has: 'bytes' },
    { what: 'xfs, new boot id, the bytes alone', kind: 'xfs', boot: 'new', has: 'bytes' },
  ],
  full: [
    { what: 'ext4', kind: 'ext4' },
    { what: 'tmpfs', kind: 'tmpfs' },
    { what: 'xfs', kind: 'xfs' },
    { what: 'ext4, the database alone', kind: 'ext4', has: 'database' },
  ],
  eio: [
    { what: 'single calls' },
    { what: 'ext4 shut down', kind: 'ext4' },
    { what: 'single calls' },
    { what: 'xfs shut down', kind: 'xfs' },
  ],
};

async function openSite(name: CampaignName, seed: number, variety: Variety, volume: Volume | null): Promise<Site> {
  return await Site.open({
    seed,
    losses: name === 'power' || name === 'eio',
    commandsMayFail: name !== 'kills',
    ...(volume ? { volume: { path: volume.path, has: variety.has ?? 'all' } } : {}),
  });
}
