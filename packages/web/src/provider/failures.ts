/** Why there are no tokens of the identity provider. Messages are for the user. */

/** The grant has ended: the provider renews it no more. Somebody has to sign in again. */
export class GrantEndedError extends Error {}

/** A sign-in did not succeed; another one may. */
export class SignInError extends Error {}

/** The provider does not answer now, or not as it should. The same call may succeed later. */
export class ProviderAwayError extends Error {}
