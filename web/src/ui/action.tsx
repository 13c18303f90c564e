import type { ComponentProps, ReactNode } from 'react';
import { PlainLink } from './plain-link';

type Weight = 'primary' | 'plain' | 'quiet' | 'tool' | 'tool-first' | 'tool-danger';

const shape =
  'inline-flex items-center justify-center gap-2 rounded-base font-bold text-center transition-colors ' +
  'disabled:opacity-55 aria-disabled:opacity-55';

const looks: Record<Weight, string> = {
  primary:
    'min-h-14 px-7 text-lead bg-accent text-on-accent border-2 border-on-accent enabled:hover:bg-on-accent enabled:hover:text-accent enabled:hover:border-accent',
  plain: 'min-h-12 px-5 border-2 border-ink text-ink enabled:hover:bg-ink enabled:hover:text-paper',
  // Where many stand in a row, as in the console.
  tool: 'min-h-10 px-3.5 text-dense border border-edge bg-surface text-ink enabled:hover:border-ink',
  'tool-first':
    'min-h-10 px-3.5 text-dense border border-on-accent bg-accent text-on-accent enabled:hover:bg-on-accent enabled:hover:text-accent enabled:hover:border-accent',
  'tool-danger':
    'min-h-10 px-3.5 text-dense border border-bad text-bad bg-surface enabled:hover:bg-bad enabled:hover:text-paper',
  quiet: 'min-h-11 px-1 text-ink underline underline-offset-4 decoration-2 hover:decoration-accent',
};

/** What a page wants done; one primary action a page. */
export function Action({
  weight = 'plain',
  className = '',
  ...rest
}: ComponentProps<'button'> & { weight?: Weight }) {
  return <button type="button" className={`${shape} ${looks[weight]} ${className}`} {...rest} />;
}

export function ActionLink({
  weight = 'plain',
  href,
  name,
  children,
}: {
  weight?: Weight;
  href: string;
  /** What it is called where its text alone does not say what it is about. */
  name?: string;
  children: ReactNode;
}) {
  return (
    <PlainLink
      href={href}
      aria-label={name}
      className={`${shape} ${looks[weight].replaceAll('enabled:', '')}`}
    >
      {children}
    </PlainLink>
  );
}
