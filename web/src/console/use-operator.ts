'use client';

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { answerOf, onSignedOut, operatorApi, Refusal } from '../api/operator';

/** Who is signed in. A session that has ended or was revoked is noticed with the next call that the engine refuses. */
export function useOperator() {
  const client = useQueryClient();
  useEffect(() => onSignedOut(() => void client.invalidateQueries({ queryKey: operatorKey })), [client]);
  return useQuery({
    queryKey: operatorKey,
    queryFn: () => answerOf(operatorApi.GET('/api/admin/session')),
    staleTime: 60_000,
    retry: (failures, error) => failures < 1 && !isSignedOut(error),
  });
}

export const operatorKey = ['operator'] as const;

export function isSignedOut(error: unknown): boolean {
  return error instanceof Refusal && error.isSignedOut;
}

/** Where a sign-in leads back to: a page of the console, whatever an address says. */
export function pageAfterSignIn(asked: string | null): string {
  return asked !== null && /^\/admin(\/|\?|$)/.test(asked) ? asked : '/admin';
}
