'use client';

import { type FormEvent, type ReactNode, useState } from 'react';
import { Action } from '../../ui/action';
import { Choice, Field, TextInput } from '../../ui/field';
import { useFilter } from '../use-filter';

export type FilterField = { name: string; label: string; options?: readonly string[]; isMoment?: boolean };

/** Narrows a list. It is asked for when the form is sent, so that nobody's typing is a query a letter. */
export function FilterForm({ fields, children }: { fields: readonly FilterField[]; children?: ReactNode }) {
  const filter = useFilter();
  // A filter that is taken off leaves an empty form behind.
  const [round, setRound] = useState(0);
  const isOn = fields.some(({ name }) => filter.get(name) !== '');

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    filter.set(Object.fromEntries(fields.map(({ name }) => [name, String(form.get(name) ?? '').trim()])));
  }

  function takeOff(): void {
    filter.set(Object.fromEntries(fields.map(({ name }) => [name, ''])));
    setRound(round + 1);
  }

  return (
    <form
      key={round}
      onSubmit={submit}
      noValidate
      className="mb-5 grid grid-cols-2 items-end gap-3 rounded-base border border-rule bg-surface p-4 sm:grid-cols-3 lg:grid-cols-4 xl:grid-cols-6"
    >
      {fields.map(({ name, label, options, isMoment }) => (
        <Field key={name} label={label}>
          {field =>
            options ? (
              <Choice {...field} name={name} defaultValue={filter.get(name)}>
                <option value="">any</option>
                {options.map(option => (
                  <option key={option}>{option}</option>
                ))}
              </Choice>
            ) : (
              <TextInput
                {...field}
                name={name}
                {...(isMoment && { type: 'datetime-local' })}
                spellCheck={false}
                defaultValue={filter.get(name)}
              />
            )
          }
        </Field>
      ))}
      <div className="col-span-full flex flex-wrap items-center gap-2">
        <Action type="submit" weight="tool">
          Show
        </Action>
        {isOn && (
          <Action weight="quiet" onClick={takeOff}>
            Take the filter off
          </Action>
        )}
        <div className="grow">{children}</div>
      </div>
    </form>
  );
}
