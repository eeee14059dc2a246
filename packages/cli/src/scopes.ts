/** All that a token can allow (CONTRACT section 3). */
export const ALL_SCOPES = 'uploads:write files:read files:delete files:locate admin';

/** What somebody needs for files of their own; `admin` would reach everybody's. */
export const OWN_SCOPES = 'uploads:write files:read files:delete';
