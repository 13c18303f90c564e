'use client';

import { Fragment } from 'react';
import type { Stock } from '../api/client';
import { Action, ActionLink } from '../ui/action';
import { Notice } from '../ui/notice';
import type { Way } from './kept';
import type { Purchase } from './use-purchase';
import { standings, wordsFor } from './words';

/** Why the last try failed, and what may be done next. */
export function Refusal(props: { purchase: Purchase; quantity: number; way: Way; onFewer: () => void }) {
  const { purchase, quantity, way, onFewer } = props;
  const { refused, open, buy, dismiss } = purchase;
  if (!refused) return null;
  const { title, text, next } = wordsFor(refused.kind === 'refused' ? refused.slug : undefined);
  const actions = {
    again: (
      <Action onClick={() => buy(open?.way ?? way, open?.quantity ?? quantity)}>
        {open ? 'Find out' : 'Try again'}
      </Action>
    ),
    fewer: quantity > 1 && (
      <Action
        onClick={() => {
          onFewer();
          dismiss();
        }}
      >
        Choose fewer
      </Action>
    ),
    drops: <ActionLink href="/">Other drops</ActionLink>,
    orders: <ActionLink href="/orders">Your orders</ActionLink>,
    'other-card': null,
  };
  return (
    <Notice
      tone="bad"
      title={title}
      isUrgent
      actions={next.map(step => actions[step] && <Fragment key={step}>{actions[step]}</Fragment>)}
    >
      {text} {refused.kind === 'refused' && waitWords(refused.retryAfterMs)}
    </Notice>
  );
}

/** Why nobody can buy now, so that there is no dead button. */
export function Standing({ state }: { state: Stock['state'] }) {
  if (state === 'open') return null;
  const { title, text, next } = standings[state];
  return (
    <Notice
      tone="plain"
      title={title}
      actions={next.includes('drops') && <ActionLink href="/">Other drops</ActionLink>}
    >
      {text}
    </Notice>
  );
}

function waitWords(retryAfterMs: number | undefined): string {
  const seconds = Math.ceil((retryAfterMs ?? 0) / 1000);
  // What is over before it is read need not be said.
  return seconds < 2 ? '' : `In ${seconds} seconds it can go on.`;
}
