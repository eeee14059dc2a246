/** Receipts of datasets: their form, their signatures and how they are verified (docs/guides/receipts.md). */
export { canonicalJson } from './receipt/canonical.ts';
export { compareFiles, filesText } from './receipt/files-digest.ts';
export { isSignedBy, toReceiptKey } from './receipt/keys.ts';
export { type Verified, verifyReceipt } from './receipt/verify.ts';
