/** The fast path over TLS: the same comparisons as without, each server with a certificate of its own. */
process.env.CRYOLIFT_TEST_TLS = 'true';
// These clients talk to servers of this machine.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.env.CRYOLIFT_FUZZ_RUNS ??= '100';

await import('./agreement.test.ts');
await import('./corpus.test.ts');
await import('./fuzz.test.ts');

export {};
