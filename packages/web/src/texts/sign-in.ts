/** Texts about tokens and signing in. */
import { plural } from './plural.ts';

export const signInTexts = {
  heading: 'Sign in',
  lead: 'Open the link that the server printed when it started, or paste a token for this server here.',
  commandLead: 'This command creates a token on the server’s machine:',
  command: 'npx cryolift token',
  field: 'Token, or the whole link',
  submit: 'Sign in',
  checking: 'Checking …',
  kept: 'The token is kept in this tab only. It is removed when you close the tab.',
  malformed: 'This is not a token: it contains characters that are not allowed in a token.',
  unreachable: 'The server does not answer. Check that it runs, then try again.',
  expiredHeading: 'Your token has expired',
  expiredLead: 'Your uploads are waiting, and nothing is lost. Paste a new token to continue.',
  expiresSoon: (minutes: number) =>
    `Your token expires in ${plural(minutes, 'minute', 'minutes')}. Paste a new one, and uploads continue without a break.`,
  as: (subject: string) => `Signed in as ${subject}`,
  asWords: 'Signed in as',
  linkOf: (owner: string) => `upload link of ${owner}`,
  waitingFiles: (count: number) => `${plural(count, 'file', 'files')} will be uploaded after you sign in.`,
  waitingForSignIn: (count: number) =>
    `${plural(count, 'upload waits', 'uploads wait')} here until the user who started ${count === 1 ? 'it' : 'them'} signs in again. Keep this tab open.`,
  linkRefused: (reason: string) => `The token in the opened link is not accepted: ${reason}`,
  question: {
    heading: (name: string) => `Sign in as ${name}?`,
    lead: (name: string) =>
      `The link you opened signs this tab in as ${name}. Files that you upload afterwards belong to ${name}.`,
    subject: (name: string) => `${name} is signed in now. Their uploads will wait until they sign in again.`,
    otherTab: 'Another user is signed in in another tab of this browser.',
    files: 'Files are waiting in this tab. The files that were added before the sign-in are uploaded, too.',
    yes: (name: string) => `Sign in as ${name}`,
    no: 'Do not sign in',
    stay: 'Stay signed in',
  },
  until: (time: string) => `until ${time}`,
  out: 'Sign out',
  leave: {
    heading: 'Sign out while uploads are not finished?',
    text: (count: number) =>
      `${count === 0 ? 'Files that are being checked are' : `${plural(count, 'upload is', 'uploads are')}`} not finished. What the server has received is kept. The rest waits in this tab until you sign in again, and is interrupted when the tab is closed.`,
    yes: 'Sign out now',
    no: 'Stay signed in',
  },
} as const;
