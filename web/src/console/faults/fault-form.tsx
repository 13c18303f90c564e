'use client';

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, type NewFault, operatorApi } from '../../api/operator';
import { Action } from '../../ui/action';
import { Choice, Field, TextInput } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { problemsOf } from '../problems';

const places = {
  ledger: 'The ledger: before a batch goes to PostgreSQL',
  gate: 'The gate: before memory is asked',
  payment: 'Payments',
  queue: 'The queue, and its workers',
} as const;
type Place = keyof typeof places;

const effects = { latency: 'slow', error: 'failing', hang: 'hanging' } as const;

export function FaultForm() {
  const client = useQueryClient();
  const [effect, setEffect] = useState('latency');
  const set = useMutation({
    mutationFn: (body: NewFault) => answerOf(operatorApi.POST('/api/admin/faults', { body })),
    onSettled: () => client.invalidateQueries({ queryKey: ['faults'] }),
  });
  const problems = problemsOf(set.error, ['place', 'effect', 'latencyMs', 'share', 'forMs']);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (!set.isPending) set.mutate(faultOf(new FormData(event.currentTarget)));
  }

  return (
    <form
      onSubmit={submit}
      noValidate
      className="flex flex-col gap-4 rounded-base border border-rule bg-surface p-5"
    >
      <h2 className="text-body">Set a fault</h2>
      {problems.rest !== undefined && (
        <Notice tone="bad" title="The fault was not set" isUrgent>
          {problems.rest}
        </Notice>
      )}
      <Field label="Place" problem={problems.of('place')}>
        {field => <Options field={field} name="place" options={places} />}
      </Field>
      <Field label="Effect" problem={problems.of('effect')}>
        {field => (
          <Choice {...field} name="effect" value={effect} onChange={event => setEffect(event.target.value)}>
            {Object.entries(effects).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </Choice>
        )}
      </Field>
      {effect === 'latency' && (
        <Field label="Slower by, in ms" problem={problems.of('latencyMs')}>
          {field => <TextInput {...field} name="latencyMs" type="number" defaultValue={200} />}
        </Field>
      )}
      <div className="grid grid-cols-2 gap-4">
        <Field label="Share of the calls, in %" problem={problems.of('share')}>
          {field => <TextInput {...field} name="share" type="number" min={0} max={100} defaultValue={50} />}
        </Field>
        <Field label="Lasts, in s" problem={problems.of('forMs')}>
          {field => <TextInput {...field} name="for" type="number" min={1} max={600} defaultValue={60} />}
        </Field>
      </div>
      <Action type="submit" weight="tool-first" aria-disabled={set.isPending} className="self-start">
        Set it
      </Action>
    </form>
  );
}

function Options(props: { field: { id: string }; name: string; options: Readonly<Record<string, string>> }) {
  const { field, name, options } = props;
  return (
    <Choice {...field} name={name}>
      {Object.entries(options).map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </Choice>
  );
}

function faultOf(form: FormData): NewFault {
  const effect = form.get('effect');
  const common = {
    place: placeOf(form.get('place')),
    share: Number(form.get('share')) / 100,
    forMs: Number(form.get('for')) * 1000,
  };
  if (effect === 'latency') return { ...common, effect, latencyMs: Number(form.get('latencyMs')) };
  return { ...common, effect: effect === 'hang' ? 'hang' : 'error' };
}

function placeOf(value: unknown): Place {
  return (['ledger', 'gate', 'payment', 'queue'] as const).find(place => place === value) ?? 'ledger';
}
