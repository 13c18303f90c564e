'use client';

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { type FormEvent, useState } from 'react';
import { answerOf, type NewProduct, operatorApi, type Product } from '../../api/operator';
import { Action, ActionLink } from '../../ui/action';
import { Field, TextArea, TextInput } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { Picture } from '../../ui/picture';
import { problemsOf } from '../problems';
import { priceText, productFields, productOf } from './product-terms';

/** @param product the one to change; without it a new one is made. */
export function ProductForm({ product }: { product?: Product }) {
  const client = useQueryClient();
  const router = useRouter();
  const [imageUrl, setImageUrl] = useState(product?.imageUrl ?? '');
  const save = useMutation({
    mutationFn: (body: NewProduct) => (product ? change(product, body) : create(body)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['products'] });
      router.push('/admin/products');
    },
  });
  const problems = problemsOf(save.error, productFields);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (!save.isPending) save.mutate(productOf(new FormData(event.currentTarget)));
  }

  return (
    <form onSubmit={submit} noValidate className="grid max-w-4xl gap-8 md:grid-cols-[1fr_14rem]">
      <div className="flex flex-col gap-4">
        {problems.rest !== undefined && (
          <Notice tone="bad" title="The product was not saved" isUrgent>
            {problems.rest}
          </Notice>
        )}
        <Field label="Name" problem={problems.of('name')}>
          {field => <TextInput {...field} name="name" maxLength={200} defaultValue={product?.name} />}
        </Field>
        <Field label="Description" problem={problems.of('description')}>
          {field => (
            <TextArea
              {...field}
              name="description"
              rows={4}
              maxLength={10_000}
              defaultValue={product?.description}
            />
          )}
        </Field>
        <Field
          label="Picture’s address"
          hint="https, four to five or square. Leave it empty and one is drawn."
          problem={problems.of('imageUrl')}
        >
          {field => (
            <TextInput
              {...field}
              name="imageUrl"
              inputMode="url"
              spellCheck={false}
              maxLength={2000}
              value={imageUrl}
              onChange={event => setImageUrl(event.target.value)}
            />
          )}
        </Field>
        <div className="grid grid-cols-[1fr_8rem] gap-4">
          <Field label="Price" problem={problems.of('priceMinor')}>
            {field => (
              <TextInput
                {...field}
                name="price"
                inputMode="decimal"
                defaultValue={product && priceText(product.priceMinor, product.currency)}
              />
            )}
          </Field>
          <Field label="Currency" problem={problems.of('currency')}>
            {field => (
              <TextInput
                {...field}
                name="currency"
                maxLength={3}
                spellCheck={false}
                className="uppercase"
                defaultValue={product?.currency ?? 'EUR'}
              />
            )}
          </Field>
        </div>
        {product && (
          <p className="text-note text-muted">Sales that exist keep the price they were made with.</p>
        )}
        <div className="mt-2 flex flex-wrap gap-2">
          <Action type="submit" weight="tool-first" aria-disabled={save.isPending}>
            {product ? 'Save' : 'Add the product'}
          </Action>
          <ActionLink weight="tool" href="/admin/products">
            Cancel
          </ActionLink>
        </div>
      </div>
      <figure>
        <Picture id={product?.id ?? 0} url={shownUrl(imageUrl)} />
        <figcaption className="mt-2 text-note text-muted">As the shop shows it</figcaption>
      </figure>
    </form>
  );
}

function create(body: NewProduct) {
  return answerOf(operatorApi.POST('/api/admin/products', { body }));
}

/** Sends what is otherwise than before: a picture of the shop's own has no address that the engine would take. */
function change(product: Product, { imageUrl, ...body }: NewProduct) {
  const picture = imageUrl ?? null;
  return answerOf(
    operatorApi.PATCH('/api/admin/products/{id}', {
      params: { path: { id: String(product.id) } },
      body: { ...body, ...(picture !== product.imageUrl && { imageUrl: picture }) },
    }),
  );
}

function shownUrl(text: string): string | null {
  return /^(https:\/\/|\/)./.test(text) ? text : null;
}
