'use client';

/** Shows one of several views of the same list. */
export function Tabs<Value extends string>(props: {
  label: string;
  options: readonly { value: Value; name: string }[];
  value: Value;
  onChange: (value: Value) => void;
}) {
  const { label, options, value, onChange } = props;
  return (
    <fieldset className="mb-5 flex flex-wrap gap-x-5 border-b border-rule">
      <legend className="sr-only">{label}</legend>
      {options.map(option => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
          className={`-mb-px min-h-11 border-b-4 ${
            option.value === value
              ? 'border-accent font-bold text-ink'
              : 'border-transparent text-muted hover:border-rule hover:text-ink'
          }`}
        >
          {option.name}
        </button>
      ))}
    </fieldset>
  );
}
