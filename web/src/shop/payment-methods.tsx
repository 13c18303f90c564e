'use client';

const methods = [
  { value: 'card', name: 'Test card', hint: 'Goes through. No money moves.' },
  { value: 'declined', name: 'Test card that is declined', hint: 'For seeing what happens then.' },
] as const;

/** What the sandbox takes for money. */
export function PaymentMethods(props: {
  value: string;
  onChange: (value: string) => void;
  isDisabled: boolean;
}) {
  const { value, onChange, isDisabled } = props;
  return (
    <fieldset disabled={isDisabled}>
      <legend className="mb-2 text-lead font-bold">Pay with</legend>
      <div className="border-t border-rule">
        {methods.map(method => (
          <label
            key={method.value}
            className="flex min-h-16 items-center gap-4 border-b border-rule py-3 has-checked:bg-surface"
          >
            <input
              type="radio"
              name="method"
              value={method.value}
              checked={value === method.value}
              onChange={() => onChange(method.value)}
              className="ml-3 size-5 accent-ink"
            />
            <span>
              <span className="block font-bold">{method.name}</span>
              <span className="block text-note text-muted">{method.hint}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
