'use client';

import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { readCsv } from '../../api/read-csv';
import { Action } from '../../ui/action';
import { count } from '../../ui/format';

/** Hands over all that fits the filter as a file, not only what is shown. */
export function CsvButton({ url, fileName }: { url: string; fileName: string }) {
  const [rows, setRows] = useState(0);
  const read = useMutation({
    mutationFn: () => readCsv(url, setRows),
    onMutate: () => setRows(0),
    onSuccess: ({ blob }) => hand(blob, fileName),
  });
  return (
    <div className="flex flex-wrap items-center justify-end gap-3">
      <p role="status" className="text-note text-muted">
        {read.isPending && `${count(rows)} rows …`}
        {read.data &&
          `${count(read.data.rows)} rows${read.data.isComplete ? '' : ', and there are more: narrow the filter'}.`}
        {read.error && <span className="font-bold text-bad">{read.error.message}</span>}
      </p>
      <Action weight="tool" aria-disabled={read.isPending} onClick={() => !read.isPending && read.mutate()}>
        Download CSV
      </Action>
    </div>
  );
}

function hand(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
}
