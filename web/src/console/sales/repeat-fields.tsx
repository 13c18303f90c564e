'use client';

import { useState } from 'react';
import { CheckField } from '../../ui/check-field';
import { Field, TextInput } from '../../ui/field';
import type { Problems } from '../problems';
import { FormGroup } from './form-group';

/** Whether a sale is the first of many, and when the others begin. */
export function RepeatFields(props: {
  recurrence: { cron: string; timeZone: string } | null;
  problems: Problems;
}) {
  const { recurrence, problems } = props;
  const [repeats, setRepeats] = useState(false);
  const [ownZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  return (
    <FormGroup title="Repeat">
      <CheckField
        name="repeats"
        label="Repeat it"
        className="sm:col-span-2"
        hint="The window above is the first; each further one is as long and has units of its own."
        checked={repeats}
        onChange={event => setRepeats(event.target.checked)}
      />
      {repeats && (
        <>
          <Field
            label="Begins at (cron)"
            hint="Minute, hour, day, month, weekday. “0 10 * * MON-FRI” is 10:00 on working days, “0 * * * *” each hour."
            problem={problems.of('recurrence.cron') ?? problems.of('recurrence')}
          >
            {field => (
              <TextInput
                {...field}
                name="recurrence.cron"
                spellCheck={false}
                defaultValue={recurrence?.cron ?? '0 * * * *'}
              />
            )}
          </Field>
          <Field
            label="Time zone"
            hint="Such as Europe/Berlin: the pattern goes by its clocks."
            problem={problems.of('recurrence.timeZone')}
          >
            {field => (
              <TextInput
                {...field}
                name="recurrence.timeZone"
                spellCheck={false}
                defaultValue={recurrence?.timeZone ?? ownZone}
              />
            )}
          </Field>
        </>
      )}
    </FormGroup>
  );
}
