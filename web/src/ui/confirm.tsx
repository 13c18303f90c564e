'use client';

import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Action } from './action';

/** Asks before something that can not be taken back, and says what it does. Escape and "Leave it" change nothing. */
export function Confirm(props: {
  title: string;
  children: ReactNode;
  action: string;
  isBusy?: boolean;
  problem?: string | undefined;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const { title, children, action, isBusy = false, problem, onConfirm, onClose } = props;
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
      className="m-auto w-full max-w-lg rounded-base border border-edge bg-surface p-6 text-dense text-ink backdrop:bg-slab/60"
    >
      <h2 id={id} className="text-lead">
        {title}
      </h2>
      <div className="mt-3 flex flex-col gap-2 text-muted">{children}</div>
      {problem !== undefined && (
        <p role="alert" className="mt-3 font-bold text-bad">
          {problem}
        </p>
      )}
      <div className="mt-6 flex flex-wrap justify-end gap-2">
        <Action weight="tool" onClick={() => dialog.current?.close()}>
          Leave it
        </Action>
        <Action weight="tool-danger" aria-disabled={isBusy} onClick={() => !isBusy && onConfirm()}>
          {action}
        </Action>
      </div>
    </dialog>
  );
}
