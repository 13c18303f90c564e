'use client';

import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, operatorApi, Refusal } from '../../api/operator';
import { Action } from '../../ui/action';
import { Field, TextInput } from '../../ui/field';
import { count } from '../../ui/format';
import { Notice } from '../../ui/notice';
import { rehearsalsKey } from './rehearsals';

// The bounds are the engine's, which has the last word.
const fields = [
  { name: 'allocation', label: 'Units on sale', value: 1000, max: 100_000, hint: 'One to a shopper.' },
  {
    name: 'shoppers',
    label: 'Shoppers',
    value: 10_000,
    max: 1_000_000,
    hint: 'They ask in turn, again and again.',
  },
  {
    name: 'ratePerSecond',
    label: 'Requests a second',
    value: 500,
    max: 10_000,
    hint: 'Whatever the engine does.',
  },
  { name: 'seconds', label: 'Seconds', value: 20, max: 120, hint: 'The verdict takes a few more.' },
] as const;

/** What shall be rehearsed, and the button that starts it. */
export function RehearsalForm() {
  const client = useQueryClient();
  const [problem, setProblem] = useState<string>();
  const [isSending, setSending] = useState(false);

  async function send(form: FormData): Promise<void> {
    setSending(true);
    setProblem(undefined);
    const read = (name: (typeof fields)[number]['name']) => Number(form.get(name));
    const body = {
      allocation: read('allocation'),
      shoppers: read('shoppers'),
      ratePerSecond: read('ratePerSecond'),
      seconds: read('seconds'),
    };
    try {
      await answerOf(operatorApi.POST('/api/admin/rehearsals', { body }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setProblem(error.message);
    } finally {
      await client.invalidateQueries({ queryKey: rehearsalsKey });
      setSending(false);
    }
  }

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (!isSending) void send(new FormData(event.currentTarget));
  }

  return (
    <form onSubmit={submit} method="post" aria-labelledby="new-rehearsal" className="flex flex-col gap-5">
      <h2 id="new-rehearsal" className="text-lead font-bold">
        A new rehearsal
      </h2>
      <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2 lg:grid-cols-4">
        {fields.map(({ name, label, value, max, hint }) => (
          <Field key={name} label={label} hint={`${hint} At most ${count(max)}.`}>
            {field => (
              <TextInput
                {...field}
                name={name}
                type="number"
                inputMode="numeric"
                defaultValue={value}
                min={1}
                max={max}
                step={1}
                required
              />
            )}
          </Field>
        ))}
      </div>
      {problem !== undefined && (
        <Notice tone="bad" title="It did not start" isUrgent>
          {problem}
        </Notice>
      )}
      <div className="flex flex-wrap items-center gap-x-5 gap-y-3">
        <Action type="submit" weight="tool-first" aria-disabled={isSending}>
          {isSending ? 'One moment …' : 'Start the rehearsal'}
        </Action>
        <p className="max-w-(--measure) text-muted">
          The load is real and comes from this machine: real sales beside it feel it.
        </p>
      </div>
    </form>
  );
}
