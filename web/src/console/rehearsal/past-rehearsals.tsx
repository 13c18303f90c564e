import { count } from '../../ui/format';
import { When } from '../../ui/when';
import type { Rehearsal } from './rehearsals';
import { ms, verdictOf } from './verdict';

/** Those before the latest, a line each. */
export function PastRehearsals({ rehearsals }: { rehearsals: readonly Rehearsal[] }) {
  return (
    <section aria-labelledby="past-rehearsals">
      <h2 id="past-rehearsals" className="mb-3 text-lead font-bold">
        Before
      </h2>
      <ul className="divide-y divide-rule border-y border-rule">
        {rehearsals.map(rehearsal => (
          <li key={rehearsal.id} className="flex flex-wrap justify-between gap-x-6 gap-y-1 py-3">
            <span>
              <b>{verdictOf(rehearsal).title}</b>
              <span className="text-muted">
                {' '}
                · {count(rehearsal.ratePerSecond)} requests a second for {rehearsal.seconds} s
              </span>
            </span>
            <span className="figures text-muted">
              {rehearsal.report && <>95 % within {ms(rehearsal.report.latencyMs.corrected.p95)} · </>}
              <When iso={rehearsal.startedAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
