'use client';

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { type FormEvent, useState } from 'react';
import { answerOf, type ListedSale, type NewSale, operatorApi, type Product } from '../../api/operator';
import { Action, ActionLink } from '../../ui/action';
import { Choice, Field, TextInput } from '../../ui/field';
import { money } from '../../ui/format';
import { Notice } from '../../ui/notice';
import { type Problems, problemsOf } from '../problems';
import { FormGroup } from './form-group';
import { ProofFields } from './proof-fields';
import { RepeatFields } from './repeat-fields';
import { firstWindow, termNames, termsOf } from './sale-terms';

/** @param clone the sale whose terms the form begins with. */
export function SaleForm({
  products,
  clone,
}: {
  products: readonly Product[];
  clone: ListedSale | undefined;
}) {
  const client = useQueryClient();
  const router = useRouter();
  const create = useMutation({
    mutationFn: (body: NewSale) => answerOf(operatorApi.POST('/api/admin/sales', { body })),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: ['sales'] });
      router.push(`/admin/sales/${id}`);
    },
  });
  const problems = problemsOf(create.error, termNames);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (!create.isPending) create.mutate(termsOf(new FormData(event.currentTarget)));
  }

  return (
    // The engine says what is wrong, at each field and in one voice.
    <form onSubmit={submit} noValidate className="flex max-w-3xl flex-col gap-8">
      {problems.rest !== undefined && (
        <Notice tone="bad" title="The sale was not made" isUrgent>
          {problems.rest}
        </Notice>
      )}
      <WhatAndWhen products={products} clone={clone} problems={problems} />
      <Terms clone={clone} problems={problems} />
      <RepeatFields recurrence={clone?.recurrence ?? null} problems={problems} />
      <ProofFields clone={clone} problems={problems} />
      <div className="flex flex-wrap gap-2">
        <Action type="submit" weight="tool-first" aria-disabled={create.isPending}>
          {create.isPending ? 'One moment …' : 'Create the sale'}
        </Action>
        <ActionLink weight="tool" href="/admin/sales">
          Cancel
        </ActionLink>
      </div>
    </form>
  );
}

type Part = { clone: ListedSale | undefined; problems: Problems };

function WhatAndWhen({ products, clone, problems }: Part & { products: readonly Product[] }) {
  const [window] = useState(() => firstWindow(clone, Date.now()));
  const [productId, setProductId] = useState(String(clone?.productId ?? products[0]?.id ?? ''));
  const product = products.find(({ id }) => String(id) === productId);
  return (
    <FormGroup title="What and when">
      <Field
        label="Product"
        className="sm:col-span-2"
        problem={problems.of('productId')}
        hint={
          product &&
          `Sold at ${money(product.priceMinor, product.currency)}, its price of now. A later change of price does not change the sale.`
        }
      >
        {field => (
          <Choice
            {...field}
            name="productId"
            value={productId}
            onChange={event => setProductId(event.target.value)}
          >
            {products.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Choice>
        )}
      </Field>
      <Field label="Opens" hint="In your own time." problem={problems.of('startsAt')}>
        {field => (
          <TextInput {...field} name="startsAt" type="datetime-local" defaultValue={window.startsAt} />
        )}
      </Field>
      <Field label="Closes" problem={problems.of('endsAt')}>
        {field => <TextInput {...field} name="endsAt" type="datetime-local" defaultValue={window.endsAt} />}
      </Field>
    </FormGroup>
  );
}

function Terms({ clone, problems }: Part) {
  const number = { type: 'number', inputMode: 'numeric', min: 1, step: 1 } as const;
  return (
    <FormGroup title="Terms">
      <Field label="Units" problem={problems.of('allocation')}>
        {field => (
          <TextInput {...field} {...number} name="allocation" defaultValue={clone?.allocation ?? 100} />
        )}
      </Field>
      <Field label="Units a person" problem={problems.of('perUserLimit')}>
        {field => (
          <TextInput {...field} {...number} name="perUserLimit" defaultValue={clone?.perUserLimit ?? 1} />
        )}
      </Field>
      <Field
        label="A hold lasts, in seconds"
        hint="How long a checkout keeps its units; 900 are 15 minutes."
        problem={problems.of('holdTtlSeconds')}
      >
        {field => (
          <TextInput
            {...field}
            {...number}
            name="holdTtlSeconds"
            defaultValue={clone?.holdTtlSeconds ?? 900}
          />
        )}
      </Field>
      <Field label="Payment" problem={problems.of('payment')}>
        {field => (
          <Choice {...field} name="payment" defaultValue={clone?.payment ?? 'none'}>
            <option value="none">None: confirmed at once</option>
            <option value="required">Paid through the provider</option>
          </Choice>
        )}
      </Field>
      <Field
        label="One purchase in how many wins"
        hint="Leave it empty for a sale without a prize."
        problem={problems.of('prizeOdds')}
      >
        {field => <TextInput {...field} {...number} name="prizeOdds" defaultValue={clone?.prizeOdds ?? ''} />}
      </Field>
    </FormGroup>
  );
}
