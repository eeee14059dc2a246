/**
 * The skeleton of a deposition at EMPIAR: `empiar_deposition.schema.json` 1-0-0 of
 * https://github.com/emdb-empiar/empiar-depositor. What is not known is null, which the schema refuses.
 */
import type { DatasetRecord, FileRecord } from '@cryolift/protocol/messages';
import { findImageSets } from './image-sets.ts';

const RELEASES = ['RE', 'EP', 'HP', 'HO'];
const EMDB = /EMD-[0-9]{4,}/g;
/** Characters of a title. */
const TITLE = { least: 10, most: 255 };

/** What a person has to fill in, by the path in the deposition. */
const UNKNOWN: Readonly<Record<string, string>> = {
  title: 'title of the entry, 10 to 255 characters',
  release_date: 'RE: directly, EP: with the EMDB entry, HP: with the publication, HO: after a year',
  experiment_type:
    '3: raw data of a structure in EMDB, 7: correlative light microscopy, 9: microcrystal diffraction, …',
  authors: "all authors; \"('Surname', 'INITIALS')\" in each name, order_id from 0",
  corresponding_author: 'first_name, last_name, organization, email, country (ISO 3166-1 alpha-2)',
  principal_investigator: 'at least one, with the same fields',
  citation: 'title and authors; published: true or false; j_or_nj_citation: true for a journal',
};
const UNKNOWN_OF_SET: Readonly<Record<string, string>> = {
  category: "('T1', ''): micrographs, ('T2', ''): movies, ('T5', '') to ('T8', ''): picked particles",
  voxel_type: "('T1', ''): unsigned bytes, ('T2', ''): signed bytes, …",
  pixel_width: 'Å; no header says it, or 1 Å',
  pixel_height: 'Å; no header says it, or 1 Å',
};

export interface Deposition {
  readonly json: Readonly<Record<string, unknown>>;
  /** Each with its path and what it is. */
  readonly toFill: readonly (readonly [path: string, what: string])[];
}

/** Fields of the dataset that are used: `title`, `release_date`, `experiment_type`, `emdb`. */
export function buildDeposition({ name, fields }: DatasetRecord, files: readonly FileRecord[]): Deposition {
  const imagesets = findImageSets(files);
  const author = { name: null, order_id: 0, author_orcid: null };
  const person = { first_name: null, last_name: null, organization: null, email: null, country: null };
  const json = {
    title: [fields.title, name].find(isTitle) ?? null,
    release_date: RELEASES.find((each) => each === fields.release_date) ?? null,
    experiment_type: /^[1-9]$/.test(fields.experiment_type ?? '') ? Number(fields.experiment_type) : null,
    cross_references: [...(fields.emdb ?? '').matchAll(EMDB)].map(([id]) => ({ name: id })),
    authors: [author],
    corresponding_author: person,
    principal_investigator: [person],
    imagesets: imagesets.map((set) => ({ ...set, details: null })),
    citation: [{ authors: [author], published: null, j_or_nj_citation: null, title: null }],
  };
  const known = [
    ...(json.title === null ? [] : ['title']),
    ...(json.release_date === null ? [] : ['release_date']),
    ...(json.experiment_type === null ? [] : ['experiment_type']),
  ];
  const toFill = [
    ...Object.entries(UNKNOWN).filter(([path]) => !known.includes(path)),
    ...imagesets.flatMap((set, at) =>
      Object.entries(UNKNOWN_OF_SET)
        .filter(([key]) => set[key as keyof typeof set] === null)
        .map(([key, what]) => [`imagesets[${at}].${key}`, what] as const),
    ),
    ...(imagesets.length === 0 ? [['imagesets', 'no file of the dataset is an image'] as const] : []),
  ];
  return { json, toFill };
}

function isTitle(text: string | undefined): text is string {
  return text !== undefined && text.length >= TITLE.least && text.length <= TITLE.most;
}
