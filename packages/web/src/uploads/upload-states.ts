/** States of an upload on the page, and the allowed transitions. The server's states are in `packages/protocol`. */

/**
 * - `checking`: the page reads the file's header.
 * - `refused`: the server would refuse the file.
 * - `queued`: other uploads run first.
 * - `interrupted`: the upload was started before the page was reloaded, and waits for its file.
 * - `cancelling`: the page waits for the server to cancel the upload.
 */
export const UPLOAD_STATES = [
  'checking',
  'refused',
  'queued',
  'running',
  'paused',
  'interrupted',
  'failed',
  'cancelling',
  'done',
] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

/**
 * - `accept`, `refuse`: the result of the header check.
 * - `suspend`: the owner has signed out.
 * - `resume`: resume, retry, or upload although the header is wrong.
 * - `publish`: the server has published the file. This can happen after a pause or a cancellation was requested.
 */
export const UPLOAD_EVENTS = [
  'accept',
  'refuse',
  'start',
  'suspend',
  'pause',
  'resume',
  'cancel',
  'fail',
  'publish',
] as const;
export type UploadEvent = (typeof UPLOAD_EVENTS)[number];

/** A complete table: a missing state or event does not compile. `null` means not allowed. */
const TRANSITIONS: Record<UploadState, Record<UploadEvent, UploadState | null>> = {
  checking: {
    accept: 'queued',
    refuse: 'refused',
    start: null,
    suspend: null,
    pause: 'paused',
    resume: null,
    cancel: 'cancelling',
    fail: null,
    publish: 'done',
  },
  refused: {
    accept: null,
    refuse: null,
    start: null,
    suspend: null,
    pause: null,
    resume: 'checking',
    cancel: null,
    fail: null,
    publish: null,
  },
  queued: {
    accept: null,
    refuse: null,
    start: 'running',
    suspend: null,
    pause: 'paused',
    resume: null,
    cancel: 'cancelling',
    fail: null,
    publish: 'done',
  },
  running: {
    accept: null,
    refuse: null,
    start: null,
    suspend: 'queued',
    pause: 'paused',
    resume: null,
    cancel: 'cancelling',
    fail: 'failed',
    publish: 'done',
  },
  paused: {
    accept: null,
    refuse: null,
    start: null,
    suspend: null,
    pause: null,
    resume: 'checking',
    cancel: 'cancelling',
    fail: 'failed',
    publish: 'done',
  },
  interrupted: {
    accept: null,
    refuse: null,
    start: null,
    suspend: null,
    pause: null,
    resume: 'checking',
    cancel: 'cancelling',
    fail: 'failed',
    publish: null,
  },
  failed: {
    accept: null,
    refuse: null,
    start: null,
    suspend: null,
    pause: null,
    resume: 'checking',
    cancel: 'cancelling',
    fail: null,
    publish: null,
  },
  cancelling: {
    accept: null,
    refuse: null,
    start: null,
    suspend: null,
    pause: null,
    resume: null,
    cancel: null,
    fail: 'failed',
    publish: 'done',
  },
  done: {
    accept: null,
    refuse: null,
    start: null,
    suspend: null,
    pause: null,
    resume: null,
    cancel: null,
    fail: null,
    publish: null,
  },
};

/** The state after `event`; null when `event` is not allowed in `state`, because the state has changed meanwhile. */
export function transition(state: UploadState, event: UploadEvent): UploadState | null {
  return TRANSITIONS[state][event];
}

interface StateTraits {
  /** Bytes are sent, or will be without an action of the user. */
  readonly isActive: boolean;
  /** Closing the page interrupts the upload. */
  readonly isUnfinished: boolean;
  /** The upload continues when its file is added again. */
  readonly isResumable: boolean;
  /** The upload counts in the totals of the page. */
  readonly isCounted: boolean;
  /** The user can remove the upload from the list without cancelling it. */
  readonly isRemovable: boolean;
}

const NO_TRAITS: StateTraits = {
  isActive: false,
  isUnfinished: false,
  isResumable: false,
  isCounted: false,
  isRemovable: false,
};

const TRAITS: Record<UploadState, StateTraits> = {
  checking: { ...NO_TRAITS, isActive: true, isUnfinished: true, isCounted: true },
  refused: { ...NO_TRAITS, isRemovable: true },
  queued: { ...NO_TRAITS, isActive: true, isUnfinished: true, isCounted: true },
  running: { ...NO_TRAITS, isActive: true, isUnfinished: true, isCounted: true },
  paused: { ...NO_TRAITS, isUnfinished: true, isResumable: true, isCounted: true },
  interrupted: { ...NO_TRAITS, isResumable: true, isCounted: true },
  failed: { ...NO_TRAITS, isUnfinished: true, isResumable: true },
  cancelling: { ...NO_TRAITS, isUnfinished: true },
  done: { ...NO_TRAITS, isCounted: true, isRemovable: true },
};

export function traitsOf(state: UploadState): StateTraits {
  return TRAITS[state];
}
