'use client';

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { streamWhileVisible } from '../../api/stream';
import { operatorKey } from '../use-operator';
import { type LiveFrame, withFrame } from './history';

export type Live = {
  frames: readonly LiveFrame[];
  /** Frames stopped coming; those that are there are the last that were known. */
  isStale: boolean;
  /** Lets go of the stream and asks for a new one. */
  again(): void;
};

// A refusal may be a full house or a session that has ended.
const againMs = 5000;
// Frames come each second. One that is late is no news, three are: also where the other end is gone without a word.
const staleAfterMs = 4000;

export function useLive(): Live {
  const client = useQueryClient();
  const [frames, setFrames] = useState<readonly LiveFrame[]>([]);
  const [isStale, setStale] = useState(false);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt is another stream.
  useEffect(() => {
    let late: ReturnType<typeof setTimeout> | undefined;
    const expectFrame = () => {
      clearTimeout(late);
      late = setTimeout(() => setStale(true), staleAfterMs);
    };
    expectFrame();
    const end = streamWhileVisible({
      url: '/api/admin/live',
      event: 'live',
      againMs,
      onData(data) {
        setFrames(known => withFrame(known, parseFrame(data)));
        setStale(false);
        expectFrame();
      },
      onStreaming: () => {},
      onRefused: () => void client.invalidateQueries({ queryKey: operatorKey }),
    });
    return () => {
      clearTimeout(late);
      end();
    };
  }, [client, attempt]);
  return { frames, isStale, again: () => setAttempt(attempt + 1) };
}

/** The stream is of this engine, and openapi.ts says what it sends. */
function parseFrame(text: string): LiveFrame {
  const frame: LiveFrame = JSON.parse(text);
  return frame;
}
