'use client';

export type StreamOptions = {
  url: string;
  /** The name of the events. */
  event: string;
  onData: (data: string) => void;
  /** Told when events arrive, and when they no longer do. */
  onStreaming: (isStreaming: boolean) => void;
  /** Told when the stream was refused, not interrupted. */
  onRefused?: () => void;
  /** When one that was refused is asked for again: the browser does not come back by itself. */
  againMs: number;
};

/**
 * Follows server-sent events while somebody looks at the page. Browsers have six connections to a host for all tabs
 * together, so that a tab nobody looks at gives its own back. @returns what ends it.
 */
export function streamWhileVisible(options: StreamOptions): () => void {
  const { url, event, onData, onStreaming, onRefused, againMs } = options;
  let source: EventSource | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;

  function stop(): void {
    clearTimeout(again);
    source?.close();
    source = undefined;
    onStreaming(false);
  }

  function start(): void {
    stop();
    if (document.visibilityState === 'hidden') return;
    const opened = new EventSource(url);
    source = opened;
    opened.addEventListener(event, ({ data }) => {
      onData(data);
      onStreaming(true);
    });
    opened.addEventListener('error', () => {
      onStreaming(false);
      if (opened.readyState !== EventSource.CLOSED) return;
      again = setTimeout(start, againMs);
      onRefused?.();
    });
  }

  start();
  document.addEventListener('visibilitychange', start);
  addEventListener('online', start);
  return () => {
    document.removeEventListener('visibilitychange', start);
    removeEventListener('online', start);
    stop();
  };
}
