import { afterAll, beforeAll, describe, it } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import { expectOneTrace } from '../support/traces.js';

let rabbitmq: RabbitmqServer;
beforeAll(async () => {
  rabbitmq = await startRabbitmq();
}, 300_000);
afterAll(() => rabbitmq.remove());

describe('traces over RabbitMQ', () => {
  it(
    'lead from the HTTP request through the queue to the payment',
    () => expectOneTrace('rabbitmq', { AMQP_URL: rabbitmq.url, AMQP_TIMEOUT: '5000' }),
    120_000,
  );
});
