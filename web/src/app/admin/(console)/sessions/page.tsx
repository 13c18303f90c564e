import type { Metadata } from 'next';
import { Suspense } from 'react';
import { SessionsView } from '../../../../console/operators/sessions-view';

export const metadata: Metadata = { title: 'Sessions' };

export default function Page() {
  return (
    <Suspense>
      <SessionsView />
    </Suspense>
  );
}
