/** The exports of the SDK for pages. */
export * from '@cryolift/client';
export * from '@cryolift/client/browser';
