/** Hints in the words of the command line. Those of the API name its calls. */

/** By error code; they replace the hint of the server. */
const BY_CODE: Readonly<Record<string, string>> = {
  upload_not_found: 'Check the id and the owner of the token; `cryolift ls` lists your uploads and files.',
  file_not_found: 'Check the id and the owner of the token; `cryolift ls` lists your uploads and files.',
  unauthenticated:
    'Sign in with `cryolift login`, or give a token of this server: --token, or CRYOLIFT_TOKEN; `cryolift token` makes one there.',
  token_expired:
    'Sign in with `cryolift login`, or give a new token: --token, or CRYOLIFT_TOKEN; `cryolift token` makes one on the server.',
  not_found: 'Check the id, and the URL of the server.',
};

const WORDS: readonly (readonly [call: string, words: string])[] = [
  ['GET /uploads lists', '`cryolift ls` lists'],
  ['GET /files lists', '`cryolift ls` lists'],
  ['GET /datasets lists', '`cryolift dataset ls` lists'],
  ['GET /datasets/{dataset_id} says', '`cryolift dataset show` says'],
  ['GET /datasets/{dataset_id}/check lists', '`cryolift dataset check` lists'],
  ['GET /datasets/{dataset_id}/pushes lists', '`cryolift push ls` lists'],
  ['GET /destinations lists', '`cryolift push to` lists'],
  ['GET /links lists', '`cryolift link ls` lists'],
  ['GET /limits says', '`cryolift quota` says'],
  ['GET /limits lists', '`cryolift quota` lists'],
  ['Start a new one with POST /uploads/init.', 'Run the command again to start a new one.'],
  ['use GET /events, which has', 'use `cryolift events`, which has'],
  ['; GET /openapi.json describes every call.', '; the API of the server may have changed: update this program.'],
];

/** @param hint of the server. */
export function toCommandHint(code: string, hint: string): string {
  return BY_CODE[code] ?? WORDS.reduce((text, [call, words]) => text.replace(call, words), hint);
}
