import type { ComponentProps, ReactNode } from 'react';

type Column = { name: string; isNumber?: boolean; isHidden?: boolean };

/** Rows to compare. What does not fit the window is scrolled within, with the keyboard too. */
export function DataTable(props: { label: string; columns: readonly Column[]; children: ReactNode }) {
  const { label, columns, children } = props;
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard.
      tabIndex={0}
      className="overflow-x-auto rounded-base border border-rule bg-surface"
    >
      <table className="w-full border-collapse text-dense">
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr>
            {columns.map(({ name, isNumber, isHidden }) => (
              <th
                key={name}
                scope="col"
                className={`border-b border-rule px-3 py-2.5 text-note font-normal whitespace-nowrap text-muted first:pl-4 last:pr-4 ${
                  isNumber ? 'text-right' : 'text-left'
                }`}
              >
                {isHidden ? <span className="sr-only">{name}</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="[&>tr+tr]:border-t [&>tr]:border-rule">{children}</tbody>
      </table>
    </section>
  );
}

type CellProps = ComponentProps<'td'> & { isNumber?: boolean };

export function Cell({ isNumber = false, className = '', ...rest }: CellProps) {
  const digits = isNumber ? 'text-right tabular-nums whitespace-nowrap' : '';
  return <td className={`px-3 py-2.5 align-middle first:pl-4 last:pr-4 ${digits} ${className}`} {...rest} />;
}

/** What a row is about. */
export function HeadCell({ className = '', ...rest }: ComponentProps<'th'>) {
  return (
    <th
      scope="row"
      className={`px-3 py-2.5 text-left align-middle font-bold first:pl-4 last:pr-4 ${className}`}
      {...rest}
    />
  );
}
