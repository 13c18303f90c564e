import { type ComponentProps, type ReactNode, useId } from 'react';

/** Something to say yes to. */
export function CheckField(props: ComponentProps<'input'> & { label: string; hint?: ReactNode }) {
  const { label, hint, className = '', ...rest } = props;
  const id = useId();
  return (
    <div className={`flex items-start gap-3 ${className}`}>
      <input
        id={id}
        type="checkbox"
        className="mt-1 size-5 shrink-0 accent-ink"
        {...(hint ? { 'aria-describedby': `${id}-hint` } : {})}
        {...rest}
      />
      <div>
        <label htmlFor={id} className="inline-block py-0.5 font-bold">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-note text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
