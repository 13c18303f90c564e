'use client';

import type { ReactNode } from 'react';
import { Action } from './action';
import { Modal } from './modal';

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
  return (
    <Modal title={title} onClose={onClose}>
      {close => (
        <>
          <div className="flex flex-col gap-2 text-muted">{children}</div>
          {problem !== undefined && (
            <p role="alert" className="mt-3 font-bold text-bad">
              {problem}
            </p>
          )}
          <div className="mt-6 flex flex-wrap justify-end gap-2">
            <Action weight="tool" onClick={close}>
              Leave it
            </Action>
            <Action weight="tool-danger" aria-disabled={isBusy} onClick={() => !isBusy && onConfirm()}>
              {action}
            </Action>
          </div>
        </>
      )}
    </Modal>
  );
}
