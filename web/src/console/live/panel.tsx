import type { ReactNode } from 'react';
import { Chart, type Line, type Tone } from './chart';

export type Row = { name: string; text: string; line?: Line };

/** A chart with its figures of now beside it, as a table: what the picture says to those who do not see it. */
export function Panel(props: {
  title: string;
  unit: string;
  times: readonly number[];
  rows: readonly Row[];
  note?: ReactNode;
  /** Under the chart, for names that are long. */
  areRowsBelow?: boolean;
}) {
  const { title, unit, times, rows, note, areRowsBelow = false } = props;
  const lines = rows.flatMap(({ line }) => (line ? [line] : []));
  return (
    <section className="min-w-0 rounded-base border border-rule bg-surface p-4">
      <h2 className="text-body font-bold">
        {title} <span className="text-note font-normal tracking-normal text-muted">{unit}</span>
      </h2>
      <div className={`mt-3 grid gap-4 ${areRowsBelow ? '' : 'sm:grid-cols-[minmax(0,1fr)_auto]'}`}>
        <Chart times={times} lines={lines} />
        <Figures caption={`${title}, ${unit}, now`} rows={rows} />
      </div>
      {note && <p className="mt-3 text-note text-muted">{note}</p>}
    </section>
  );
}

function Figures({ caption, rows }: { caption: string; rows: readonly Row[] }) {
  return (
    <table className="h-fit min-w-36 self-start">
      <caption className="sr-only">{caption}</caption>
      <tbody>
        {rows.map(({ name, text, line }) => (
          <tr key={name} className="border-t border-rule first:border-t-0">
            <th scope="row" className="py-1.5 pr-4 text-left font-normal text-muted">
              {line && <Swatch tone={line.tone} dash={line.dash} />}
              {name}
            </th>
            <td className="figures py-1.5 text-right whitespace-nowrap">{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const swatchClass: Record<Tone, string> = {
  ink: 'text-ink',
  good: 'text-good',
  bad: 'text-bad',
  muted: 'text-muted',
  accent: 'text-accent-deep',
};

function Swatch({ tone, dash }: { tone: Tone; dash: readonly number[] | undefined }) {
  return (
    <svg viewBox="0 0 20 8" aria-hidden="true" className={`mr-2 inline-block h-2 w-5 ${swatchClass[tone]}`}>
      <path d="M0 4h20" stroke="currentColor" strokeWidth="2.5" strokeDasharray={dash?.join(' ')} />
    </svg>
  );
}
