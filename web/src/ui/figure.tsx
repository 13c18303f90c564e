import type { ReactNode } from 'react';

// The classes that globals.css has; a longer text is as large as one of that length.
const fitMax = 16;

/** A large number over its label, as large as its text lets it be. */
export function Figure(props: { text: string; label: ReactNode; name?: string }) {
  const { text, label, name } = props;
  return (
    <p className="@container flex flex-col">
      <span
        className={`figures text-figure fit-${Math.min(fitMax, Math.max(2, text.length))}`}
        data-testid={name}
      >
        {text}
      </span>
      <span className="mt-2 opacity-75">{label}</span>
    </p>
  );
}
