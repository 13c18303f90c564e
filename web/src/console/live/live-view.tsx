'use client';

import { count } from '../../ui/format';
import { Notice } from '../../ui/notice';
import { PageHead } from '../page-head';
import { Skeleton } from '../skeleton';
import type { LiveFrame } from './history';
import { LatencyPanel, OrdersPanel, QueuePanel, RequestsPanel, StockPanel } from './panels';
import { OutcomesPanel, StatePanel } from './state';
import { useLive } from './use-live';
import { age, millis, rate } from './words';

export function LiveView() {
  const { frames, isStale } = useLive();
  const now = frames.at(-1);
  if (!now) return isStale ? <Silence /> : <Skeleton />;
  const clock = new Date(now.at).toLocaleTimeString('en-GB');
  return (
    <>
      <PageHead title="Live" lead={`Process ${now.process} by itself; stock and queue of all processes.`} />
      <p data-testid="freshness" className="-mt-4 mb-5 text-muted">
        {isStale ? `Last heard at ${clock}` : `Live, ${clock}`}
      </p>
      {isStale && (
        <div className="mb-5">
          <Notice tone="bad" title="Not up to date" isUrgent>
            The engine sends no figures now. Those below are the last that were heard; it is asked again by
            itself.
          </Notice>
        </div>
      )}
      <div className={isStale ? 'opacity-60' : ''}>
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
      </div>
    </>
  );
}

function Silence() {
  return (
    <>
      <PageHead title="Live" />
      <Notice tone="bad" title="No figures yet" isUrgent>
        The engine does not send any. It is asked again by itself.
      </Notice>
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
