'use client';

import type { InfiniteData } from '@tanstack/react-query';
import type { ComponentProps, ReactNode } from 'react';
import { DataTable } from '../ui/data-table';
import { More, type Pages } from './more';
import { type Query, Reading } from './reading';

/** A list that is read page by page. */
export function Listing<Page, Row>(props: {
  label: string;
  columns: ComponentProps<typeof DataTable>['columns'];
  query: Query<InfiniteData<Page>> & Pages;
  rowsOf: (page: Page) => readonly Row[];
  row: (row: Row, position: number) => ReactNode;
  /** What is said where there is nothing. */
  empty: ReactNode;
  more?: string;
}) {
  const { label, columns, query, rowsOf, row, empty, more } = props;
  return (
    <Reading query={query}>
      {({ pages }) => {
        const rows = pages.flatMap(rowsOf);
        if (rows.length === 0) return empty;
        return (
          <>
            <DataTable label={label} columns={columns}>
              {rows.map(row)}
            </DataTable>
            <More pages={query} {...(more && { name: more })} />
          </>
        );
      }}
    </Reading>
  );
}
