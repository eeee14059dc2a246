/** Texts about signing in at the identity provider. */
import { plural } from './plural.ts';

export const providerTexts = {
  signIn: 'Sign in with your institution',
  again: 'Sign in again',
  at: (host: string) => `You sign in at ${host} and come back to this page.`,
  inWindow: (host: string) => `A window opens where you sign in at ${host}. This tab keeps your files and uploads.`,
  leaving: (host: string) => `Going to ${host} …`,
  paste: 'Paste a token',
  kept:
    'What the provider gives is kept in this tab only, and renewed there while the tab is open. It is removed when you ' +
    'sign out or close the tab.',
  signedInAt: (name: string, owner: string, host: string) => `Signed in as ${name} (${owner}) at ${host}`,
  renewedUntil: (time: string) => `until ${time}, renewed automatically`,
  denied: (host: string) => `The sign-in was cancelled at ${host}. Sign in again, or paste a token.`,
  refused: (host: string, reason: string) => `${host} refuses to sign you in: ${reason}`,
  untrusted: (host: string, reason: string) => `The answer of ${host} is not accepted: ${reason}. Sign in again.`,
  notAccepted: (host: string, reason: string) => `This server does not accept the token of ${host}: ${reason}`,
  away: (host: string) =>
    `${host} does not answer this page. Check your network; if it stays, an administrator has to allow this page there.`,
  clock: 'The clock of this machine is wrong, or the sign-in took too long. Set the clock, then sign in again.',
  notStarted: 'This sign-in was not started in this tab, or it has been answered before. Sign in again.',
  notLoaded: 'A part of this page could not be loaded. Reload the page, then sign in again.',
  noStorage: 'This browser allows the page to store nothing, which signing in needs. Allow it, or paste a token.',
  windowBlocked: 'The browser has blocked the window. Allow windows for this page and try again, or paste a token.',
  ended: 'Your sign-in has ended. Sign in again.',
  endedHeading: 'Your sign-in has ended',
  endedLead: 'Your uploads are waiting, and nothing is lost. They continue when you have signed in again.',
  endedIdle: 'Sign in again to continue.',
  endsSoon: (minutes: number) =>
    `Your sign-in ends in ${plural(minutes, 'minute', 'minutes')}. Sign in again, and uploads continue without a break.`,
  awayWhileGood: (host: string, time: string) =>
    `${host} does not answer, so your sign-in cannot be renewed now. Uploads continue until ${time}, then wait for it.`,
  awayAndLate: (host: string) => `${host} does not answer. Uploads wait, and continue automatically when it is back.`,
  waitsForSignIn: 'Waiting for you to sign in',
  waitsForProvider: (host: string) => `Waiting for ${host}`,
  window: {
    heading: (host: string) => `Signing in at ${host}`,
    busy: 'Signing in …',
    done: 'You are signed in. You can close this window.',
    failed: 'You are not signed in. You can close this window.',
    tabGone: 'The tab that you came from was closed or reloaded. Close this window, and sign in there again.',
    retry: 'Try again',
  },
} as const;
