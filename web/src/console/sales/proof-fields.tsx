import type { ListedSale } from '../../api/operator';
import { CheckField } from '../../ui/check-field';
import { Field, TextInput } from '../../ui/field';
import type { Problems } from '../problems';
import { FormGroup } from './form-group';

/** What a purchase has to show, to keep bots out. */
export function ProofFields({ clone, problems }: { clone: ListedSale | undefined; problems: Problems }) {
  return (
    <FormGroup title="Against bots">
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
