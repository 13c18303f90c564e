'use client';

import { useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearchParams } from 'next/navigation';
import { type FormEvent, useState } from 'react';
import { answerOf, operatorApi, Refusal } from '../api/operator';
import { Action } from '../ui/action';
import { Field, TextInput } from '../ui/field';
import { Mark } from '../ui/mark';
import { Notice } from '../ui/notice';
import { useLockOut } from './use-lock-out';
import { operatorKey, pageAfterSignIn } from './use-operator';

/** The secret goes to the engine once and is kept nowhere here; what is left is a cookie that no script can read. */
export function SignIn() {
  const router = useRouter();
  const next = pageAfterSignIn(useSearchParams().get('next'));
  const client = useQueryClient();
  const [problem, setProblem] = useState<string>();
  const [isSending, setSending] = useState(false);
  const lock = useLockOut();

  async function send(operator: string, secret: string): Promise<void> {
    setSending(true);
    setProblem(undefined);
    try {
      await answerOf(operatorApi.POST('/api/admin/session', { body: { operator, secret } }));
      await client.resetQueries({ queryKey: operatorKey });
      router.replace(next);
    } catch (error) {
      setSending(false);
      if (!(error instanceof Refusal)) throw error;
      if (error.slug === 'locked-out') lock.begin(error.retryAfterSeconds ?? 0);
      else setProblem(error.message);
    }
  }

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (isSending) return;
    const fields = new FormData(event.currentTarget);
    void send(String(fields.get('operator')), String(fields.get('secret')));
  }

  return (
    <form onSubmit={submit} method="post" className="flex w-full max-w-96 flex-col gap-5">
      <div>
        <Mark />
        <h1 className="mt-5 text-title">Sign in to the console</h1>
        <p className="mt-2 text-muted">
          For operators. <code>npm start</code> prints where the secret lies.
        </p>
      </div>
      {lock.isLocked && (
        <Notice tone="bad" title="Locked out for a while" isUrgent>
          Too many wrong secrets were entered for this name or from this address. Guesses are refused until{' '}
          <b data-testid="locked-until">{lock.until}</b>; the right secret still lets you in.
        </Notice>
      )}
      {problem !== undefined && !lock.isLocked && (
        <Notice tone="bad" title="That did not work" isUrgent>
          {problem}
        </Notice>
      )}
      <Field label="Name">
        {field => (
          <TextInput
            {...field}
            name="operator"
            defaultValue="operator"
            autoComplete="username"
            required
            spellCheck={false}
          />
        )}
      </Field>
      <Field label="Secret">
        {field => (
          <TextInput
            {...field}
            name="secret"
            type="password"
            autoComplete="current-password"
            required
            maxLength={1000}
          />
        )}
      </Field>
      <Action type="submit" weight="primary" aria-disabled={isSending}>
        {isSending ? 'One moment …' : 'Sign in'}
      </Action>
    </form>
  );
}
