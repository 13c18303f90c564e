import type { ReactNode } from 'react';

/** Fields that belong together. */
export function FormGroup({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="border-t border-rule pt-4">
      <legend className="float-left mb-4 w-full text-body font-bold tracking-tight">{title}</legend>
      <div className="clear-both grid gap-x-5 gap-y-4 sm:grid-cols-2">{children}</div>
    </fieldset>
  );
}
