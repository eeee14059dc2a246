/** All that a token can allow (page 7, Authentication). */
export const ALL_SCOPES = 'uploads:write files:read files:delete files:locate admin';

/** What somebody needs for files of their own; `admin` would reach everybody's. */
export const OWN_SCOPES = 'uploads:write files:read files:delete';
