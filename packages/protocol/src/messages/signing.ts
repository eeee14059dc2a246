/** Signed URLs. */
import { type Static, Type } from 'typebox';
import { Literals, Nullable, Pairs, Sha256Hex, Text, Time } from './fields.ts';

export const SignedSeconds = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 7 * 86_400,
    description: 'How long the URLs are valid; 3,600 when not given.',
  }),
);

const SignedHeaders = Pairs(Type.String(), 'To be sent unchanged.', { title: 'SignedHeaders' });

export const SignPartsRequest = Type.Object(
  {
    parts: Type.Array(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }), {
      minItems: 1,
      maxItems: 10_000,
      description: 'Inclusive pairs of part indexes; at most 10,000 parts in all.',
    }),
    sha256: Type.Optional(
      Type.Array(Sha256Hex('SHA-256 of the part.'), {
        minItems: 1,
        maxItems: 100,
        description:
          'SHA-256 of each part, in the order of `parts`: asks for URLs of the object storage, at most 100, for 900 s at most.',
      }),
    ),
    expires_in: SignedSeconds,
  },
  { title: 'SignPartsRequest' },
);

export const SignedParts = Type.Object(
  {
    expires_at: Time('When the URLs expire.'),
    urls: Type.Array(
      Type.Object(
        {
          part: Type.Integer({ minimum: 0 }),
          method: Literals(['PUT'], 'HTTP method.'),
          url: Text(),
          headers: SignedHeaders,
          direct: Type.Optional(
            Type.Boolean({
              description: 'Only with `sha256`. True: a URL of the object storage; the part must be confirmed.',
            }),
          ),
        },
        { title: 'SignedPart' },
      ),
    ),
    stored: Type.Optional(
      Type.Array(
        Type.Object({ part: Type.Integer({ minimum: 0 }), sha256: Sha256Hex('SHA-256 of the stored part.') }),
        { description: 'Only with `sha256`: the parts that are stored already, which are not signed.' },
      ),
    ),
  },
  { title: 'SignedParts' },
);
export type SignedParts = Static<typeof SignedParts>;

export const SignFileRequest = Nullable(Type.Object({ expires_in: SignedSeconds }, { title: 'SignFileRequest' }));

export const SignedDownload = Type.Object(
  {
    expires_at: Time('When the URL expires.'),
    method: Literals(['GET'], 'HTTP method; HEAD works, too.'),
    url: Text(),
    headers: SignedHeaders,
  },
  { title: 'SignedDownload' },
);
export type SignedDownload = Static<typeof SignedDownload>;
