'use client';

import { useEffect, useState } from 'react';
import { moment, stamp } from './format';

/** A moment: in UTC as the server renders it, then in the reader's own time. `isExact`: to the second, with its year. */
export function When({ iso, isExact = false }: { iso: string; isExact?: boolean }) {
  const words = isExact ? stamp : moment;
  const [text, setText] = useState(() => words(iso, 'UTC'));
  useEffect(() => setText(words(iso)), [iso, words]);
  return (
    <time dateTime={iso} className={isExact ? 'whitespace-nowrap tabular-nums' : undefined}>
      {text}
    </time>
  );
}
