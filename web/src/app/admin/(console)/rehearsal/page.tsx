import type { Metadata } from 'next';
import { RehearsalView } from '../../../../console/rehearsal/rehearsal-view';

export const metadata: Metadata = { title: 'Rehearsal' };

export default function RehearsalPage() {
  return <RehearsalView />;
}
