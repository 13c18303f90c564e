'use client';

import { Action } from '../../../ui/action';
import { Notice } from '../../../ui/notice';

/** A page that broke; the others go on. */
export default function Failed({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <Notice
      tone="bad"
      title="This page broke"
      isUrgent
      actions={<Action onClick={reset}>Open it again</Action>}
    >
      Nothing that was under way is lost: what the engine has done stands in the trail. {error.message}
    </Notice>
  );
}
