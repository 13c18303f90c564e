'use client';

import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf, type ListedSale, operatorApi } from '../../api/operator';
import { ActionLink } from '../../ui/action';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { count, money } from '../../ui/format';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { Facts } from '../facts';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { SaleActions } from './sale-actions';
import { StateBadge } from './state-badge';
import { StockBar } from './stock-bar';
import { useSale } from './use-sales';

/** One sale: how it stands, on which terms, and what became of the tries to buy from it. */
export function SaleView({ id }: { id: string }) {
  const sale = useSale(id);
  return (
    <Reading query={sale}>
      {known => (
        <>
          <PageHead title={known.productName} actions={<SaleActions sale={known} />} />
          <div className="grid gap-6 lg:grid-cols-2">
            <section aria-label="How it stands" className="rounded-base border border-rule bg-surface p-5">
              <p className="flex items-center gap-3">
                <StateBadge {...known} /> Sale {known.id}
              </p>
              <p className="figures mt-5 mb-4 text-title">
                {count(known.stock)}{' '}
                <span className="text-body font-normal text-muted">left of {count(known.allocation)}</span>
              </p>
              <StockBar {...known} />
            </section>
            <Facts facts={termsOf(known)} />
          </div>
          <Outcomes saleId={known.id} />
        </>
      )}
    </Reading>
  );
}

function termsOf(sale: ListedSale): [string, ReactNode][] {
  return [
    ['Opens', <When key="opens" iso={sale.startsAt} isExact />],
    ['Closes', <When key="closes" iso={sale.endsAt} isExact />],
    ['Price', money(sale.priceMinor, sale.currency)],
    ['Units a person', count(sale.perUserLimit)],
    ['A hold lasts', `${count(sale.holdTtlSeconds)} s`],
    ['Payment', sale.payment === 'required' ? 'through the provider' : 'none'],
    ['Prize', sale.prizeOdds === null ? 'none' : `one purchase in ${count(sale.prizeOdds)}`],
    ['Repeats', sale.recurrence ? `${sale.recurrence.cron}, ${sale.recurrence.timeZone}` : 'no'],
    ['Challenge', sale.challenge === null ? 'none' : `${count(sale.challenge)} numbers`],
    ['Token from before', sale.requiresToken ? 'wanted' : 'not wanted'],
  ];
}

function Outcomes({ saleId }: { saleId: number }) {
  const summary = useQuery({
    queryKey: ['sales', 'outcomes', saleId],
    queryFn: () =>
      answerOf(
        operatorApi.GET('/api/admin/attempts/summary', { params: { query: { saleId: String(saleId) } } }),
      ),
    refetchInterval: 5000,
  });
  const links = (
    <div className="flex flex-wrap gap-2">
      <ActionLink weight="tool" href={`/admin/orders?saleId=${saleId}`}>
        Its orders
      </ActionLink>
      <ActionLink weight="tool" href={`/admin/attempts?saleId=${saleId}`}>
        Its attempts
      </ActionLink>
    </div>
  );
  return (
    <section className="mt-9">
      <div className="mb-3 flex flex-wrap items-end justify-between gap-3">
        <h2 className="text-lead">Tries to buy</h2>
        {links}
      </div>
      <Reading query={summary}>
        {({ attempts, outcomes }) =>
          attempts === 0 ? (
            <Empty title="Nobody has tried yet">Tries appear here as soon as somebody presses “Buy”.</Empty>
          ) : (
            <DataTable
              label="Tries to buy, by outcome"
              columns={[
                { name: 'Outcome' },
                { name: 'Tries', isNumber: true },
                { name: 'Share', isNumber: true },
              ]}
            >
              {outcomes.map(({ outcome, attempts: some }) => (
                <tr key={outcome}>
                  <HeadCell>{outcome}</HeadCell>
                  <Cell isNumber>{count(some)}</Cell>
                  <Cell isNumber>{((100 * some) / attempts).toFixed(1)} %</Cell>
                </tr>
              ))}
            </DataTable>
          )
        }
      </Reading>
    </section>
  );
}
