'use client';

import { type ReactNode, useEffect, useId, useRef } from 'react';

/** Something before all else. Escape closes it, and so does what is given to its content. */
export function Modal(props: {
  title: string;
  isWide?: boolean;
  onClose: () => void;
  children: (close: () => void) => ReactNode;
}) {
  const { title, isWide = false, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      className={`m-auto max-h-[90dvh] w-full overflow-y-auto rounded-base border border-edge bg-paper p-6 text-dense text-ink backdrop:bg-slab/60 ${
        isWide ? 'max-w-2xl' : 'max-w-lg'
      }`}
    >
      <h2 id={id} className="mb-3 text-lead">
        {title}
      </h2>
      {children(() => dialog.current?.close())}
    </dialog>
  );
}
