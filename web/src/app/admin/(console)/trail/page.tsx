import type { Metadata } from 'next';
import { Suspense } from 'react';
import { TrailView } from '../../../../console/operators/trail-view';

export const metadata: Metadata = { title: 'Trail' };

export default function Page() {
  return (
    <Suspense>
      <TrailView />
    </Suspense>
  );
}
