'use client';

import type { ReactNode } from 'react';
import { Action } from '../ui/action';
import { Notice } from '../ui/notice';
import { isSignedOut } from './use-operator';

export type Query<Data> = { data: Data | undefined; error: Error | null; refetch(): unknown };

/**
 * What was read, the shape of it while it is on its way, or why it could not be read. What was known goes on being shown
 * while it can not be read again.
 */
export function Reading<Data>({
  query,
  children,
}: {
  query: Query<Data>;
  children: (data: Data) => ReactNode;
}) {
  const { data, error, refetch } = query;
  const again = (
    <Action weight="tool" onClick={() => void refetch()}>
      Try again
    </Action>
  );
  return (
    <>
      {error && !isSignedOut(error) && (
        <div className="mb-5">
          <Notice
            tone="bad"
            title={data === undefined ? 'This could not be read' : 'Not up to date'}
            isUrgent
            actions={again}
          >
            {error.message}
          </Notice>
        </div>
      )}
      {data !== undefined && children(data)}
      {data === undefined && !error && (
        <div aria-busy="true" className="h-64 rounded-base bg-rule opacity-60">
          <p role="status" className="sr-only">
            Loading
          </p>
        </div>
      )}
    </>
  );
}
