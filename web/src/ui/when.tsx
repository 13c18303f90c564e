'use client';

import { useEffect, useState } from 'react';
import { moment } from './format';

/** A moment: in UTC as the server renders it, then in the reader's own time. */
export function When({ iso }: { iso: string }) {
  const [text, setText] = useState(() => moment(iso, 'UTC'));
  useEffect(() => setText(moment(iso)), [iso]);
  return <time dateTime={iso}>{text}</time>;
}
