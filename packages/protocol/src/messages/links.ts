/** Upload links. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, MAX_SAFE, Nullable, Text, Time } from './fields.ts';
import { page } from './lists.ts';

/** The largest maximum lifetime of upload links that a server can be set to. */
export const MAX_LINK_SECONDS = 30 * 86_400;

/** Characters of the note of a link. */
export const MAX_NOTE_LENGTH = 200;

const Note = () => Nullable(Text('What the link is for, as its maker wrote it; null: nothing.'));

export const LinkRequest = Nullable(
  Type.Object(
    {
      expires_in: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_LINK_SECONDS,
          description: 'Seconds that the link is valid; 43,200 when not given, or less where the server allows less.',
        }),
      ),
      max_bytes: Type.Optional(
        Type.Integer({ minimum: 1, maximum: MAX_SAFE, description: 'Bytes that may be uploaded with it.' }),
      ),
      max_files: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SAFE })),
      note: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: MAX_NOTE_LENGTH,
          description: 'What the link is for, such as the name of a session. Everybody who has the link sees it.',
        }),
      ),
    },
    { title: 'LinkRequest' },
  ),
);
export type LinkRequest = Static<typeof LinkRequest>;

export const UploadLink = Type.Object(
  {
    link_id: Id(),
    expires_at: Time('When the link expires.'),
    max_bytes: Nullable(Bytes('Bytes that may be uploaded with it.')),
    max_files: Nullable(Type.Integer({ minimum: 1 })),
    note: Note(),
    url: Text('The web page, as an upload page; also for `cryolift upload --link`.'),
    token: Text('For "Authorization: Bearer"; returned only here.'),
  },
  { title: 'UploadLink' },
);
export type UploadLink = Static<typeof UploadLink>;

/** An upload link without its token. */
const LinkRecord = Type.Object(
  {
    link_id: Id(),
    owner: Text('Owner of its uploads.'),
    created_at: Time('When it was created.'),
    expires_at: Time('When the link expires.'),
    max_bytes: Nullable(Bytes('Bytes that may be uploaded with it.')),
    max_files: Nullable(Type.Integer({ minimum: 1 })),
    note: Note(),
    used_bytes: Bytes('Bytes of its uploads that were neither cancelled nor expired.'),
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
