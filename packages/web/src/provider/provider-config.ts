/** Where people sign in: `sign_in` of `GET /limits`. */
import type { Limits } from '@cryolift/protocol/messages';

export type ProviderConfig = NonNullable<Limits['sign_in']>;

/** The host of the provider, as people know it. */
export function hostOf({ issuer }: ProviderConfig): string {
  return new URL(issuer).host;
}
