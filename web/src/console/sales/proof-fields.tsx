import type { ListedSale } from '../../api/operator';
import { CheckField } from '../../ui/check-field';
import { Field, TextInput } from '../../ui/field';
import type { Problems } from '../problems';
import { FormGroup } from './form-group';

/** What a purchase has to show, and what is counted beside the shopper, so that one buyer is not many. */
export function ProofFields({ clone, problems }: { clone: ListedSale | undefined; problems: Problems }) {
  return (
    <FormGroup title="Against bots and hoarders">
      <Field
        label="Units for one payment"
        hint="Of one card or account, whoever the shoppers are. Leave it empty for no limit."
        problem={problems.of('perPaymentLimit')}
      >
        {field => (
          <TextInput
            {...field}
            name="perPaymentLimit"
            type="number"
            inputMode="numeric"
            min={1}
            defaultValue={clone?.perPaymentLimit ?? ''}
          />
        )}
      </Field>
      <Field
        label="Units for one address"
        hint="As the shop’s own server states it. Leave it empty for no limit."
        problem={problems.of('perAddressLimit')}
      >
        {field => (
          <TextInput
            {...field}
            name="perAddressLimit"
            type="number"
            inputMode="numeric"
            min={1}
            defaultValue={clone?.perAddressLimit ?? ''}
          />
        )}
      </Field>
      <Field
        label="Challenge, in numbers to try"
        hint="A phone tries some 100,000 a second. Leave it empty for none."
        problem={problems.of('challenge')}
      >
        {field => (
          <TextInput
            {...field}
            name="challenge"
            type="number"
            inputMode="numeric"
            min={1000}
            step={1000}
            defaultValue={clone?.challenge ?? ''}
          />
        )}
      </Field>
      <CheckField
        name="requiresToken"
        label="Only for those who came before"
        className="sm:pt-6"
        hint="A purchase shows a token that was to be had until the sale opened."
        defaultChecked={clone?.requiresToken ?? false}
      />
    </FormGroup>
  );
}
