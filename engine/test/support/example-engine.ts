import { z } from 'zod';
import { sandboxSecrets } from '../../src/app/choose-payments.js';
import { describeApi } from '../../src/app/describe.js';
import { sign } from '../../src/payments/sandbox/signature.js';
import { serviceHeaders, startTestApi } from './api.js';
import { callsOf, type Sending, sendExample } from './api-examples.js';
import { secrets } from './config.js';
import { createTestDatabase } from './database.js';

export const description = await describeApi();
export const calls = callsOf(description);

const signInSchema = z.object({ operator: z.string(), secret: z.string() });
// Engines get the operator whose secret is in the example of the sign-in.
const { operator: name, secret } = signInSchema.parse(calls.signIn?.body);
export const secretsOfExamples = { ...secrets, operators: [{ name, secret }] };
export const operatorHeaders = { authorization: `Bearer ${secret}` };

/** An engine for demo shoppers on an empty database. */
export async function startForExamples(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const api = await startTestApi(url, { IDENTITY: 'demo', ...env }, { secrets: secretsOfExamples });
  return { api, pool };
}

export type ExampleReport = {
  /** Names of calls, each with the answer that came. */
  compared: Set<string>;
  differences: string[];
};

const answerSchema = z.looseObject({
  id: z.union([z.int(), z.string()]).optional(),
  order: z.looseObject({ id: z.string() }).optional(),
  session: z.looseObject({ id: z.string() }).nullish(),
});

/** Sends examples to an engine, each as a caller who may make that call; differences go into the report. */
export function createSend(url: string, { compared, differences }: ExampleReport) {
  return async (name: string, sending: Sending = {}) => {
    const call = calls[name];
    if (!call) throw new Error(`/openapi.json has no ${name}`);
    const headers = { ...headersFor(call.ways.flat(), call.body), ...sending.headers };
    const sent = await sendExample(url, call, { ...sending, headers });
    compared.add(`${name} ${sent.key}`);
    differences.push(...sent.differences.map(difference => `${name}: ${difference}`));
    return { ...answerSchema.safeParse(sent.answer).data, cookies: sent.cookies };
  };
}

function headersFor(schemes: readonly string[], body: unknown): Record<string, string> {
  if (schemes.includes('shopperJwt')) return { ...serviceHeaders, 'x-user-id': 'alice' };
  if (schemes.includes('apiKey')) return serviceHeaders;
  if (schemes.includes('operatorSecret')) return operatorHeaders;
  return schemes.includes('sandboxSignature') ? signatureOf(body) : {};
}

/** As the sandbox signs a body. */
export function signatureOf(body: unknown) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const { webhookSecret } = sandboxSecrets(secrets);
  return { 'x-sandbox-signature': sign(text, webhookSecret, Math.floor(Date.now() / 1000)) };
}
