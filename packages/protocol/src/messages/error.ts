/** The body of every error answer. */
import { Type } from 'typebox';
import { ERROR_CODES } from '../errors.ts';
import { Pairs, Text } from './fields.ts';

const ErrorCode = Type.Enum(ERROR_CODES, { title: 'ErrorCode', description: 'Stable; the key of `x-errors`.' });

export const ErrorEnvelope = Type.Object(
  {
    code: ErrorCode,
    message: Text('What happened, as text.'),
    hint: Text('What to do about it.'),
    retryable: Type.Boolean({ description: 'The same request, sent again, can succeed.' }),
    request_id: Text(),
    details: Type.Optional(Pairs(Type.Unknown(), 'Details of some codes.')),
  },
  { title: 'Error' },
);
