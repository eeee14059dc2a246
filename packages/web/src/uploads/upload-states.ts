/** States of an upload in the page, and the only ways from one to another. */

/**
 * `checking`: its header is read. `refused`: the server would refuse it. `queued`: others come first. `away`: begun before
 * the page was loaded anew, its file is not at hand. `ending`: being cancelled.
 */
export type UploadState =
  | 'checking'
  | 'refused'
  | 'queued'
  | 'running'
  | 'paused'
  | 'away'
  | 'failed'
  | 'ending'
  | 'done';

/**
 * `wait`: its owner signed out. `go`: resume, retry, upload all the same. `publish`: the server has the file, whatever
 * was asked for while the last answer was on its way.
 */
export type UploadEvent = 'accept' | 'refuse' | 'start' | 'wait' | 'pause' | 'go' | 'cancel' | 'fail' | 'publish';

const NO_WAY = {
  accept: null,
  refuse: null,
  start: null,
  wait: null,
  pause: null,
  go: null,
  cancel: null,
  fail: null,
  publish: null,
} as const;

const TRANSITIONS: Record<UploadState, Record<UploadEvent, UploadState | null>> = {
  checking: {
    ...NO_WAY,
    accept: 'queued',
    refuse: 'refused',
    pause: 'paused',
    cancel: 'ending',
    publish: 'done',
  },
  refused: { ...NO_WAY, go: 'checking' },
  queued: { ...NO_WAY, start: 'running', pause: 'paused', cancel: 'ending', publish: 'done' },
  running: { ...NO_WAY, wait: 'queued', pause: 'paused', cancel: 'ending', fail: 'failed', publish: 'done' },
  paused: { ...NO_WAY, go: 'checking', cancel: 'ending', fail: 'failed', publish: 'done' },
  away: { ...NO_WAY, go: 'checking', cancel: 'ending', fail: 'failed' },
  failed: { ...NO_WAY, go: 'checking', cancel: 'ending' },
  ending: { ...NO_WAY, fail: 'failed', publish: 'done' },
  done: NO_WAY,
};

/** @returns null when the event means nothing in this state: something else happened before. */
export function transition(state: UploadState, event: UploadEvent): UploadState | null {
  return TRANSITIONS[state][event];
}
