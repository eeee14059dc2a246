/** Links of the OpenAPI document: which calls take what an answer has. */

interface Link {
  readonly operationId: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

const UPLOAD_CALLS = [
  'getUpload',
  'listParts',
  'putPart',
  'signParts',
  'getUploadPreview',
  'streamUploadEvents',
  'completeUpload',
  'cancelUpload',
] as const;
const FILE_CALLS = [
  'getFile',
  'updateFile',
  'readFile',
  'getFilePreview',
  'getFileStatistics',
  'listFileJobs',
  'signFile',
  'deleteFile',
] as const;

/** By the schema of an answer: the field that names what it is about, and the calls that take that field. */
const CALLS: Readonly<Record<string, readonly [field: string | null, operationIds: readonly string[]]>> = {
  Upload: ['upload_id', UPLOAD_CALLS],
  PartReceipt: ['upload_id', UPLOAD_CALLS],
  File: ['file_id', FILE_CALLS],
  UploadLink: ['link_id', ['revokeLink']],
  SweepReport: [null, ['getSweep']],
  ScrubReport: [null, ['getScrub', 'stopScrub']],
};

/** For `components.links`: by the name of the call that takes a field of an answer. */
export const LINKS: Readonly<Record<string, Link>> = Object.fromEntries(
  Object.values(CALLS).flatMap(([field, calls]) => {
    const parameters = field === null ? {} : { parameters: { [field]: `$response.body#/${field}` } };
    return calls.map((operationId) => [operationId, { operationId, ...parameters }]);
  }),
);

/**
 * @param schemaName of the answer's body.
 * @param isList whether the call takes a cursor.
 */
export function linksOf(operationId: string, schemaName: string | undefined, isList: boolean): Record<string, object> {
  if (isList) return { nextPage: { operationId, parameters: { cursor: '$response.body#/next_cursor' } } };
  const [, calls] = CALLS[schemaName ?? ''] ?? [null, []];
  const others = calls.filter((each) => each !== operationId);
  return Object.fromEntries(others.map((each) => [each, { $ref: `#/components/links/${each}` }]));
}
