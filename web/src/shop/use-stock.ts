'use client';

import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, type Stock } from '../api/client';
import { streamWhileVisible } from '../api/stream';
import { hearServerTime } from '../ui/server-clock';

export type Freshness = 'live' | 'polled' | 'stale';

// What the fallback asks for; a stream that was refused is asked for again much more rarely.
const pollEveryMs = 2000;
const streamAgainMs = 30_000;
// A stream whose other end is gone without a word looks like one where nothing happens.
const askAnywayEveryMs = 15_000;

const stockKey = (productId: number) => ['stock', productId] as const;

/**
 * The stock of a product: streamed, else polled, else the last that was known.
 *
 * @param rendered what the page was rendered with.
 */
export function useStock(productId: number, rendered: Stock): { stock: Stock; freshness: Freshness } {
  const client = useQueryClient();
  const [isStreaming, setStreaming] = useState(false);
  useEffect(
    () =>
      streamWhileVisible({
        url: `/api/stock/${productId}/events`,
        event: 'stock',
        onData: data => putStock(client, parseStock(data)),
        onStreaming: setStreaming,
        againMs: streamAgainMs,
      }),
    [client, productId],
  );
  const { data, isError } = useQuery({
    queryKey: stockKey(productId),
    queryFn: () => fetchStock(client, productId),
    initialData: rendered,
    refetchInterval: isStreaming ? askAnywayEveryMs : pollEveryMs,
    // The next reading is the next try.
    retry: false,
  });
  return { stock: data, freshness: isError ? 'stale' : isStreaming ? 'live' : 'polled' };
}

/** For a page with many drops: asked for now and then, without a stream each. */
export function useSlowStock(productId: number, rendered: Stock): Stock {
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: stockKey(productId),
    queryFn: () => fetchStock(client, productId),
    initialData: rendered,
    refetchInterval: 2 * pollEveryMs,
  });
  return data;
}

/** Has everything that depends on a purchase read at once: the stock, and what is in the shopper's name. */
export async function refreshAfterPurchase(client: QueryClient, productId: number): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: ['orders'] }),
    fetchStock(client, productId).then(
      stock => putStock(client, stock),
      () => {},
    ),
  ]);
}

async function fetchStock(client: QueryClient, productId: number): Promise<Stock> {
  const { data, response } = await api.GET('/api/stock/{productId}', {
    params: { path: { productId: String(productId) } },
  });
  if (!data) throw new Error(`the stock was answered ${response.status}`);
  hearServerTime(data.now);
  return newer(client.getQueryData<Stock>(stockKey(productId)), data);
}

function putStock(client: QueryClient, stock: Stock): void {
  hearServerTime(stock.now);
  client.setQueryData<Stock>(stockKey(stock.productId), known => newer(known, stock));
}

/** Answers overtake each other; stock that came back is told by a later one, never by an earlier. */
function newer(known: Stock | undefined, heard: Stock): Stock {
  return known && known.now > heard.now ? known : heard;
}

/** The stream is of this shop, and openapi.ts says what it sends. */
function parseStock(text: string): Stock {
  const stock: Stock = JSON.parse(text);
  return stock;
}
