import type { Metadata } from 'next';
import { Suspense } from 'react';
import { AttemptsView } from '../../../../console/happened/attempts-view';

export const metadata: Metadata = { title: 'Attempts' };

export default function Page() {
  return (
    <Suspense>
      <AttemptsView />
    </Suspense>
  );
}
