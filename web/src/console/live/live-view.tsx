'use client';

import { count } from '../../ui/format';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import type { LiveFrame } from './history';
import { LatencyPanel, OrdersPanel, QueuePanel, RequestsPanel, StockPanel } from './panels';
import { OutcomesPanel, StatePanel } from './state';
import { useLive } from './use-live';
import { age, millis, rate } from './words';

const silence = new Error('The engine sends no figures now. It is asked again by itself.');

export function LiveView() {
  const { frames, isStale, again } = useLive();
  const now = frames.at(-1);
  return (
    <>
      <PageHead
        title="Live"
        lead={now && `What process ${now.process} does. Stock and queue are those of all processes.`}
      />
      <Reading query={{ data: now, error: isStale ? silence : null, refetch: again }}>
        {frame => <Figures frames={frames} now={frame} isStale={isStale} />}
      </Reading>
    </>
  );
}

type FiguresProps = { frames: readonly LiveFrame[]; now: LiveFrame; isStale: boolean };

function Figures({ frames, now, isStale }: FiguresProps) {
  const clock = new Date(now.at).toLocaleTimeString('en-GB');
  return (
    <>
      <p data-testid="freshness" className="-mt-4 mb-5 text-muted">
        {isStale ? `Last heard at ${clock}` : `Live, ${clock}`}
      </p>
      <KeyFigures now={now} />
      <div className="mt-4 grid gap-4 xl:grid-cols-2">
        <RequestsPanel frames={frames} now={now} />
        <LatencyPanel frames={frames} now={now} />
        <OrdersPanel frames={frames} now={now} />
        <QueuePanel frames={frames} now={now} />
        <StockPanel frames={frames} now={now} />
        <div className="grid content-start gap-4 md:grid-cols-2">
          <OutcomesPanel now={now} />
          <StatePanel now={now} />
        </div>
      </div>
    </>
  );
}

function KeyFigures({ now }: { now: LiveFrame }) {
  const { requests, orders, queue } = now;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-base border border-rule bg-rule sm:grid-cols-3 xl:grid-cols-6">
      <Reads name="Requests a second" text={rate(requests.perSecond)} />
      <Reads name="Orders a second" text={rate(orders.perSecond)} />
      <Reads name="P95 of requests" text={millis(requests.p95Ms)} />
      <Reads name="Failed a second" text={rate(requests.failed)} />
      <Reads name="Waiting in the queue" text={queue ? count(queue.ready) : '–'} />
      <Reads name="Oldest of them" text={queue ? age(queue.oldestAgeMs) : '–'} />
    </dl>
  );
}

function Reads({ name, text }: { name: string; text: string }) {
  return (
    <div className="bg-surface p-4">
      <dt className="text-note text-muted">{name}</dt>
      <dd className="figures mt-1 text-title">{text}</dd>
    </div>
  );
}
