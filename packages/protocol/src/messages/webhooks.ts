/** Deliveries to the webhook. */
import { type Static, Type } from 'typebox';
import { Id, Literals, Nullable, Text, Time } from './fields.ts';
import { page, pageFields, STRICT } from './lists.ts';

/** An event that the webhook has not accepted. */
export const Delivery = Type.Object(
  {
    seq: Type.Integer({ minimum: 1, description: 'Number of the event in the outbox.' }),
    event_id: Id('Id of the CloudEvent: the webhook-id.'),
    type: Text(),
    upload_id: Id(),
    status: Literals(['waiting', 'dead'], '`dead`: not repeated, until it is sent again.'),
    attempts: Type.Integer({ minimum: 0 }),
    created_at: Time('When the first attempt was due.'),
    next_at: Time('When the next attempt is due, if it waits.'),
    trouble: Nullable(Type.String({ description: 'The last error.' })),
  },
  { title: 'Delivery' },
);
export type Delivery = Static<typeof Delivery>;

export const DeliveryPage = page(Delivery, 'DeliveryPage');
export type DeliveryPage = Static<typeof DeliveryPage>;

/** The cursor is the number of the last event of the page before. */
export const DeliveryQuery = Type.Object(
  {
    ...pageFields('^[1-9]\\d{0,14}$'),
    status: Type.Optional(Literals(['waiting', 'dead'], 'Only deliveries in this state.')),
  },
  STRICT,
);
