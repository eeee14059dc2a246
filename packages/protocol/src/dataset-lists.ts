/** The lists that the check of a dataset has. */
export const CHECK_LISTS = ['missing', 'wrong', 'present', 'extra', 'double', 'reference', 'partly_read'] as const;
