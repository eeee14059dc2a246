/** All that a page gets of the SDK. */
export * from '@cryolift/client';
export * from '@cryolift/client/browser';
