import type { Metadata } from 'next';
import { Suspense } from 'react';
import { LettersView } from '../../../../console/letters/letters-view';

export const metadata: Metadata = { title: 'Dead letters' };

export default function Page() {
  return (
    <Suspense>
      <LettersView />
    </Suspense>
  );
}
