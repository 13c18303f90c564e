import type { ReactNode } from 'react';
import { ConsoleFrame } from '../../../console/frame';

export default function Layout({ children }: { children: ReactNode }) {
  return <ConsoleFrame>{children}</ConsoleFrame>;
}
