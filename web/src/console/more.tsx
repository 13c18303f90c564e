'use client';

import { Action } from '../ui/action';

type Pages = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage(): unknown };

/** The rest of a list, page by page. */
export function More({ pages, name = 'Show more' }: { pages: Pages; name?: string }) {
  if (!pages.hasNextPage) return null;
  return (
    <div className="mt-4 text-center">
      <Action
        weight="tool"
        aria-disabled={pages.isFetchingNextPage}
        onClick={() => !pages.isFetchingNextPage && pages.fetchNextPage()}
      >
        {pages.isFetchingNextPage ? 'Reading …' : name}
      </Action>
    </div>
  );
}
