import type { Metadata } from 'next';
import { Suspense } from 'react';
import { FaultsView } from '../../../../console/faults/faults-view';

export const metadata: Metadata = { title: 'Faults' };

export default function Page() {
  return (
    <Suspense>
      <FaultsView />
    </Suspense>
  );
}
