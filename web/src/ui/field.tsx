import { type ComponentProps, type ReactNode, useId } from 'react';

type Wiring = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true };

/** A label over something to fill in, with what to know about it and what is wrong with it, all read out together. */
export function Field(props: {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
  className?: string;
  children: (field: Wiring) => ReactNode;
}) {
  const { label, hint, problem, className = '', children } = props;
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(' ');
  return (
    <div className={`flex flex-col gap-1 ${className}`}>
      <label htmlFor={id} className="text-note font-bold">
        {label}
      </label>
      {children({
        id,
        ...(described && { 'aria-describedby': described }),
        ...(problem && { 'aria-invalid': true }),
      })}
      {hint && (
        <p id={`${id}-hint`} className="text-note text-muted">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} className="text-note font-bold text-bad">
          {problem}
        </p>
      )}
    </div>
  );
}

const box =
  'min-h-11 w-full rounded-base border border-edge bg-surface px-3 text-ink aria-invalid:border-2 aria-invalid:border-bad disabled:opacity-55';

export function TextInput({ className = '', ...rest }: ComponentProps<'input'>) {
  return <input className={`${box} ${className}`} {...rest} />;
}

export function TextArea({ className = '', ...rest }: ComponentProps<'textarea'>) {
  return <textarea className={`${box} py-2 ${className}`} {...rest} />;
}

export function Choice({ className = '', ...rest }: ComponentProps<'select'>) {
  return <select className={`${box} ${className}`} {...rest} />;
}
