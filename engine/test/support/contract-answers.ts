import { z } from 'zod';
import type { Answer, TestApi } from './api.js';
import { operatorToken } from './config.js';

export async function operatorAnswers(
  api: TestApi,
): Promise<[method: string, path: string, answer: Answer][]> {
  const path = '/api/admin/session';
  const signIn = (secret: string) => api.request('POST', path, { body: { secret }, headers: {} });
  const signedIn = await signIn(operatorToken);
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const headers = { cookie, origin: api.url };
  const { id } = z.looseObject({ id: z.string() }).parse(signedIn.body.session);
  return [
    ['post', path, signedIn],
    ['post', path, await signIn('wrong')],
    ['get', path, await api.request('GET', path, { headers })],
    ['get', path, await api.asOperator('GET', path)],
    ['delete', path, await api.asOperator('DELETE', path)],
    ['get', '/api/admin/sessions', await api.asOperator('GET', '/api/admin/sessions')],
    [
      'delete',
      '/api/admin/sessions/{id}',
      await api.asOperator('DELETE', `/api/admin/sessions/${id.replace(/^./, 'x')}`),
    ],
    ['get', '/api/admin/actions', await api.asOperator('GET', '/api/admin/actions')],
  ];
}

export async function webhookAnswers(
  api: TestApi,
): Promise<[method: string, path: string, answer: Answer][]> {
  const path = '/api/admin/webhooks';
  const body = { url: 'https://shop.example/hooks', events: ['order.confirmed'] };
  const made = await api.asOperator('POST', path, body);
  const { id } = z.looseObject({ id: z.int() }).parse(made.body);
  const deliveries = `${path}/${id}/deliveries`;
  return [
    ['post', path, made],
    ['post', path, await api.asOperator('POST', path, { ...body, url: 'ftp://shop.example' })],
    ['get', path, await api.asOperator('GET', path)],
    ['get', `${path}/{id}`, await api.asOperator('GET', `${path}/${id}`)],
    ['get', `${path}/{id}`, await api.asOperator('GET', `${path}/999`)],
    ['patch', `${path}/{id}`, await api.asOperator('PATCH', `${path}/${id}`, { description: 'x' })],
    ['post', `${path}/{id}/rotate`, await api.asOperator('POST', `${path}/${id}/rotate`, {})],
    ['post', `${path}/{id}/test`, await api.asOperator('POST', `${path}/${id}/test`, {})],
    ['get', `${path}/{id}/deliveries`, await api.asOperator('GET', deliveries)],
    [
      'post',
      `${path}/{id}/deliveries/{deliveryId}/replay`,
      await api.asOperator('POST', `${deliveries}/999/replay`, {}),
    ],
    [
      'post',
      `${path}/{id}/replay`,
      await api.asOperator('POST', `${path}/${id}/replay`, { since: '2026-01-01T00:00:00Z' }),
    ],
    ['delete', `${path}/{id}`, await api.asOperator('DELETE', `${path}/999`)],
  ];
}
