import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { InjectedFault } from '../faults/faults.js';
import { OperatingError } from '../platform/errors.js';
import { ConnectError } from '../platform/postgres.js';
import { classifyFailure } from './failures.js';

const withCode = (code: string) => Object.assign(new Error('failed'), { code });

describe('a failed statement', () => {
  it.each([
    ['transient', withCode('40001')],
    ['transient', withCode('40P01')],
    ['transient', withCode('57014')],
    ['transient', withCode('53300')],
    ['transient', new ConnectError(new Error('Connection terminated unexpectedly'))],
    ['transient', new ConnectError(withCode('57P03'))],
    ['transient', new ConnectError(withCode('28P01'))],
    ['transient', new InjectedFault('ledger')],
    ['unknown', new Error('Connection terminated unexpectedly')],
    ['unknown', new Error('Query read timeout')],
    ['unknown', withCode('ECONNRESET')],
    ['unknown', withCode('EPIPE')],
    ['unknown', withCode('57P01')],
    ['unknown', new OperatingError('NOT_REPLICATED', 'canceling wait', 'Ask again', { retryable: true })],
    ['bad-row', withCode('22021')],
    ['bad-row', withCode('23514')],
    ['bad-row', withCode('P0002')],
    ['broken', withCode('42P01')],
    ['broken', withCode('42883')],
    ['broken', withCode('42501')],
    ['broken', withCode('58030')],
    ['broken', withCode('XX000')],
  ] as const)('is %s for its batch when it fails with %s', (failure, error) => {
    expect(classifyFailure(error)).toBe(failure);
  });

  it.each(['orders_one_per_intent', 'orders_pkey'])(
    'is transient on a conflict over one order id (%s): the next try finds the order',
    constraint => {
      const error = Object.assign(new pg.DatabaseError('duplicate key', 0, 'error'), {
        code: '23505',
        constraint,
      });
      expect(classifyFailure(error)).toBe('transient');
    },
  );
});
