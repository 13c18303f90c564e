import type { Metadata } from 'next';
import { Suspense } from 'react';
import { RevenueView } from '../../../../console/revenue/revenue-view';

export const metadata: Metadata = { title: 'Revenue' };

export default function Page() {
  return (
    <Suspense>
      <RevenueView />
    </Suspense>
  );
}
