/** What a token can allow. */

export const SCOPES = ['uploads:write', 'files:read', 'files:delete', 'files:locate', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** For the caller's own uploads and files. `admin` covers those of every owner. */
export const OWN_SCOPES = ['uploads:write', 'files:read', 'files:delete'] as const satisfies readonly Scope[];
