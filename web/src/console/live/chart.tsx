'use client';

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export type Tone = 'ink' | 'good' | 'bad' | 'muted' | 'accent';

export type Line = {
  name: string;
  tone: Tone;
  /** Told apart without colours as well. */
  dash?: readonly number[];
  values: readonly (number | null)[];
};

const heightPx = 176;
// For those who want no motion the picture is changed rarely; the figures beside it are always those of now.
const calmEveryMs = 10_000;

const toneClass: Record<Tone | 'rule', string> = {
  ink: 'text-ink',
  good: 'text-good',
  bad: 'text-bad',
  muted: 'text-muted',
  accent: 'text-accent-deep',
  rule: 'text-rule',
};
const tones = ['ink', 'good', 'bad', 'muted', 'accent', 'rule'] as const;

/** Lines over time, drawn by uPlot. A picture alone: whoever shows it has the figures as text beside it. */
export function Chart({ times, lines }: { times: readonly number[]; lines: readonly Line[] }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const drawnAtMs = useRef(Number.NEGATIVE_INFINITY);
  const data: uPlot.AlignedData = [[...times], ...lines.map(({ values }) => [...values])];
  const latest = useRef(data);
  latest.current = data;
  const shape = JSON.stringify(lines.map(({ name, tone, dash }) => [name, tone, dash]));

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const drawn = new uPlot(optionsOf(element, shape), latest.current, element);
    plot.current = drawn;
    const ends = [followWidth(element, drawn), followTheme(drawn)];
    return () => {
      for (const end of ends) end();
      drawn.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    const nowMs = performance.now();
    if (isCalm() && nowMs - drawnAtMs.current < calmEveryMs) return;
    drawnAtMs.current = nowMs;
    plot.current?.setData(data);
  });

  return (
    <div ref={place} aria-hidden="true" className="min-w-0 overflow-hidden">
      {tones.map(tone => (
        <span key={tone} hidden data-tone={tone} className={toneClass[tone]} />
      ))}
    </div>
  );
}

function optionsOf(element: HTMLElement, shape: string): uPlot.Options {
  const lines: [name: string, tone: Tone, dash: number[] | null][] = JSON.parse(shape);
  const stroke = (tone: Tone | 'rule') => () => colourOf(element, tone);
  const axis = {
    stroke: stroke('muted'),
    grid: { stroke: stroke('rule'), width: 1 },
    ticks: { show: false },
    font: '12px "Helvetica Neue", Helvetica, Arial, sans-serif',
  };
  return {
    width: element.clientWidth,
    height: heightPx,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      { ...axis, size: 28, values: (_plot, ticks) => ticks.map(clockOf), space: 72 },
      { ...axis, size: 56, values: (_plot, ticks) => ticks.map(tick => tick.toLocaleString('en-GB')) },
    ],
    series: [
      {},
      ...lines.map(([label, tone, dash]) => ({
        label,
        stroke: stroke(tone),
        width: 2,
        points: { show: false },
        ...(dash && { dash }),
      })),
    ],
  };
}

/** As the theme has it now: a canvas knows no classes. */
function colourOf(element: HTMLElement, tone: Tone | 'rule'): string {
  const probe = element.querySelector(`[data-tone="${tone}"]`);
  return probe ? getComputedStyle(probe).color : 'gray';
}

function clockOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB');
}

function isCalm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

function followWidth(element: HTMLElement, plot: uPlot): () => void {
  const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: heightPx }));
  observer.observe(element);
  return () => observer.disconnect();
}

function followTheme(plot: uPlot): () => void {
  const redraw = () => plot.redraw();
  const observer = new MutationObserver(redraw);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', redraw);
  return () => {
    observer.disconnect();
    system.removeEventListener('change', redraw);
  };
}
