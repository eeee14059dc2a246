/** Upload links. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, MAX_SAFE, Nullable, Text, Time } from './fields.ts';
import { page } from './lists.ts';

/** The longest life of an upload link that a server can be set to. */
export const MAX_LINK_SECONDS = 30 * 86_400;

export const LinkRequest = Nullable(
  Type.Object(
    {
      expires_in: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_LINK_SECONDS,
          description:
            'Seconds that the link is good for; 43,200 when not given, or less where the server allows less.',
        }),
      ),
      max_bytes: Type.Optional(
        Type.Integer({ minimum: 1, maximum: MAX_SAFE, description: 'What may be uploaded with it, bytes.' }),
      ),
      max_files: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SAFE })),
    },
    { title: 'LinkRequest' },
  ),
);
export type LinkRequest = Static<typeof LinkRequest>;

export const UploadLink = Type.Object(
  {
    link_id: Id(),
    expires_at: Time('When the link ends.'),
    max_bytes: Nullable(Bytes('What may be uploaded with it, bytes.')),
    max_files: Nullable(Type.Integer({ minimum: 1 })),
    url: Text('The web page, as an upload page; also for `cryolift upload --link`.'),
    token: Text('For "Authorization: Bearer"; told this once.'),
  },
  { title: 'UploadLink' },
);
export type UploadLink = Static<typeof UploadLink>;

/** An upload link without its token. */
const LinkRecord = Type.Object(
  {
    link_id: Id(),
    owner: Text('Whose uploads are made with it.'),
    created_at: Time('When it was made.'),
    expires_at: Time('When the link ends, or has ended.'),
    max_bytes: Nullable(Bytes('What may be uploaded with it, bytes.')),
    max_files: Nullable(Type.Integer({ minimum: 1 })),
    used_bytes: Bytes('What was begun with it and neither cancelled nor expired, bytes.'),
    used_files: Type.Integer({ minimum: 0 }),
  },
  { title: 'Link' },
);
export type LinkRecord = Static<typeof LinkRecord>;

export const LinkPage = page(LinkRecord, 'LinkPage');
export type LinkPage = Static<typeof LinkPage>;

export const RevokedLinks = Type.Object(
  {
    revoked: Type.Integer({ minimum: 0, description: 'How many links were revoked.' }),
  },
  { title: 'RevokedLinks' },
);
export type RevokedLinks = Static<typeof RevokedLinks>;
