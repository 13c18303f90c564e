import type { ReactNode } from 'react';

/**
 * A large number over its label, as large as its text lets it be: the widest digit of a system's bold face is 0.7 em.
 */
export function Figure(props: { text: string; label: ReactNode; name?: string }) {
  const { text, label, name } = props;
  return (
    <p className="@container flex flex-col">
      <span
        className="figures text-figure"
        style={{ fontSize: `min(var(--text-figure, 7.5rem), ${145 / Math.max(2, text.length)}cqi)` }}
        data-testid={name}
      >
        {text}
      </span>
      <span className="mt-2 opacity-75">{label}</span>
    </p>
  );
}
