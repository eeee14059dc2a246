/** Calls for administrators on events that the webhook has not accepted. */
import { Delivery, DeliveryPage, DeliveryQuery } from '@cryolift/protocol/messages';
import { Type } from 'typebox';
import { listDeliveries, retryDelivery } from '../../events/webhook/list.ts';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

const DeliveryParams = Type.Object({ seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) });

export function registerWebhooks(app: Routes, { events: context, wakeWebhook }: Services): void {
  const config = { scope: 'admin' } as const;

  app.get(
    '/webhooks/deliveries',
    {
      config,
      schema: {
        operationId: 'listDeliveries',
        tags: ['admin'],
        summary:
          'Events that the webhook has not accepted, including those that are no longer tried (dead), oldest first.',
        querystring: DeliveryQuery,
        response: { 200: DeliveryPage },
      },
    },
    async ({ query: { limit = 100, ...query } }) => await listDeliveries(context, { ...query, limit }),
  );

  app.post(
    '/webhooks/deliveries/:seq/retry',
    {
      config,
      schema: {
        operationId: 'retryDelivery',
        tags: ['admin'],
        summary: 'Sends an event to the webhook again, now.',
        params: DeliveryParams,
        response: { 202: Delivery },
        documented: { errors: ['not_found'] },
      },
    },
    async ({ params }, reply) => {
      const delivery = await retryDelivery(context, params.seq);
      wakeWebhook();
      reply.code(202);
      return delivery;
    },
  );
}
