import type { Metadata } from 'next';
import { Suspense } from 'react';
import { AuditView } from '../../../../console/happened/audit-view';

export const metadata: Metadata = { title: 'Audit' };

export default function Page() {
  return (
    <Suspense>
      <AuditView />
    </Suspense>
  );
}
