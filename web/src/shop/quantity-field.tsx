'use client';

import { useId } from 'react';

/** How many, with a number field for those who type and two buttons for those who tap. */
export function QuantityField(props: {
  value: number;
  max: number;
  isDisabled: boolean;
  onChange: (value: number) => void;
}) {
  const { value, max, isDisabled, onChange } = props;
  const id = useId();
  const set = (wanted: number) => onChange(Math.min(max, Math.max(1, Math.trunc(wanted) || 1)));
  const step = 'grid size-12 place-items-center text-title hover:bg-rule disabled:opacity-40';
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-note text-muted">
        Quantity
      </label>
      <div className="flex h-14 items-center rounded-base border-2 border-edge bg-surface">
        <button
          type="button"
          aria-label="One fewer"
          className={step}
          disabled={isDisabled || value <= 1}
          onClick={() => set(value - 1)}
        >
          <span aria-hidden="true">−</span>
        </button>
        <input
          id={id}
          inputMode="numeric"
          value={value}
          disabled={isDisabled}
          onChange={event => set(Number(event.target.value))}
          className="figures h-full w-12 bg-transparent text-center text-lead"
        />
        <button
          type="button"
          aria-label="One more"
          className={step}
          disabled={isDisabled || value >= max}
          onClick={() => set(value + 1)}
        >
          <span aria-hidden="true">+</span>
        </button>
      </div>
    </div>
  );
}
