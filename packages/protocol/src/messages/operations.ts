/** Limits, health, and the caller. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Literals, Nullable, Text, Time } from './fields.ts';

/** What a client needs to get tokens of the identity provider, by OAuth 2.0 with a public client. */
export const SignIn = Type.Object(
  {
    issuer: Text('Issuer of the tokens; its endpoints are found by OpenID Connect Discovery.'),
    client_id: Text('Public client of the issuer.'),
    scope: Text('Scopes to ask for, separated by spaces.'),
    audience: Nullable(
      Text(
        'The audience that tokens must have; null: any. Ask for it as `audience`, and as `resource` (RFC 8707) when it is ' +
          'an absolute URI.',
      ),
    ),
  },
  { title: 'SignIn' },
);
export type SignIn = Static<typeof SignIn>;

export const Limits = Type.Object(
  {
    max_file_size: Bytes('Greatest file, bytes.'),
    part_size: Bytes('Default part size for files that are not too large for it, bytes.'),
    min_part_size: Bytes('Least part size that can be requested, bytes.'),
    max_part_size: Bytes('Greatest part size, bytes.'),
    max_part_count: Type.Integer(),
    session_ttl_seconds: Type.Integer({ description: 'An upload expires this long after its last part.' }),
    body_idle_timeout_seconds: Type.Number({ description: 'A part whose body stalls for this long is refused.' }),
    digest_algorithms: Type.Array(Type.String()),
    part_encodings: Type.Array(Type.String(), { description: '`Content-Encoding`s that a part may have.' }),
    mrc_types: Type.Array(Type.String(), { description: 'Extensions whose header is checked.' }),
    accepted_types: Type.Array(Type.String(), {
      description: 'Further extensions, accepted unchanged; `*`: any, and names without one.',
    }),
    sign_in: Type.Union([SignIn, Type.Null()], {
      description: 'How people get tokens of the identity provider; null: this server does not say.',
    }),
    direct: Type.Optional(
      Type.Boolean({
        description: 'True: parts can be sent to the object storage (`POST /uploads/{upload_id}/sign` with `sha256`).',
      }),
    ),
    part_origins: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Further origins of this server: a page can send parts to them, over connections of their own.',
      }),
    ),
    quota_bytes: Type.Optional(
      Nullable(Bytes('Quota of the caller, bytes; null: no limit. Only with a token or an upload link.')),
    ),
    used_bytes: Type.Optional(
      Bytes(
        "Used bytes of the quota: the caller's files, and open uploads with their whole size. Only with `quota_bytes`.",
      ),
    ),
    quota_files: Type.Optional(
      Nullable(
        Type.Integer({ minimum: 1, description: 'Files that the caller may have; null: no limit. As `quota_bytes`.' }),
      ),
    ),
    used_files: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Files, and uploads without a file, that count for `quota_files`.' }),
    ),
  },
  { title: 'Limits' },
);
export type Limits = Static<typeof Limits>;

export const Caller = Type.Object(
  {
    owner: Text('`sub` of the token, or owner of the upload link: the owner of the uploads.'),
    link_id: Nullable(Id('The upload link; null: a token.')),
    note: Nullable(Text('What the upload link is for; null: nothing is noted, or a token.')),
    expires_at: Nullable(Time('When the token or the upload link expires; null: it does not say.')),
    scopes: Type.Array(Type.String(), {
      description: 'The scopes of this server that the token has, `admin` for all; none with an upload link.',
    }),
  },
  { title: 'Caller' },
);
export type Caller = Static<typeof Caller>;

export const Health = Type.Object({ status: Literals(['ok'], 'The server answers.') }, { title: 'Health' });

export const Readiness = Type.Object(
  {
    status: Literals(['ready'], 'The database and the storage answer.'),
    version: Text(),
  },
  { title: 'Readiness' },
);
