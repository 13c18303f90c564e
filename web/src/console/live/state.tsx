import { count } from '../../ui/format';
import type { LiveFrame } from './history';
import { age, named, rate } from './words';

const levels: Record<LiveFrame['protection']['level'], string> = {
  none: 'Refuses nothing',
  browsing: 'Refuses browsing',
  buying: 'Refuses new purchases',
  finishing: 'Refuses everything',
};

/** What may be wrong: breakers, connections, shedding. Said in words, the bad ones also in colour. */
export function StatePanel({ now }: { now: LiveFrame }) {
  const { breakers, protection, requests } = now;
  const entries: { name: string; text: string; isBad?: boolean }[] = [
    {
      name: 'Breaker of payments',
      text: named(breakers.payments),
      isBad: breakers.payments !== 'closed',
    },
    {
      name: 'PostgreSQL',
      text: breakers.postgres === 'up' ? 'Answers' : 'Does not answer',
      isBad: breakers.postgres !== 'up',
    },
    {
      name: 'Redis',
      text: { up: 'Answers', down: 'Does not answer', none: 'Not used' }[breakers.redis],
      isBad: breakers.redis === 'down',
    },
    { name: 'Shedding', text: levels[protection.level], isBad: protection.level !== 'none' },
    { name: 'Refused by the layers', text: `${rate(protection.refusedPerSecond)} a second` },
    { name: 'Event loop behind', text: age(protection.lagMs) },
    { name: 'Requests in work', text: count(requests.inFlight) },
  ];
  return (
    <section className="rounded-base border border-rule bg-surface p-4">
      <h2 className="text-body font-bold">State</h2>
      <dl className="mt-3">
        {entries.map(({ name, text, isBad }) => (
          <div key={name} className="flex justify-between gap-4 border-t border-rule py-1.5 first:border-t-0">
            <dt className="text-muted">{name}</dt>
            <dd className={`figures text-right ${isBad ? 'text-bad' : ''}`}>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** How attempts to buy end, and what the gate made of them before. */
export function OutcomesPanel({ now }: { now: LiveFrame }) {
  const outcomes = [...now.outcomes].sort((a, b) => b.total - a.total);
  return (
    <section className="rounded-base border border-rule bg-surface p-4">
      <table className="w-full">
        <caption className="pb-3 text-left text-body font-bold">Outcomes</caption>
        <thead>
          <tr className="text-left text-note text-muted">
            <th scope="col" className="pb-1.5 font-normal">
              Attempt
            </th>
            <th scope="col" className="pb-1.5 text-right font-normal">
              a second
            </th>
            <th scope="col" className="pb-1.5 text-right font-normal">
              since the start
            </th>
          </tr>
        </thead>
        <tbody>
          {outcomes.map(({ outcome, perSecond, total }) => (
            <tr key={outcome} className="border-t border-rule">
              <th scope="row" className="py-1.5 text-left font-normal">
                {named(outcome)}
              </th>
              <td className="figures py-1.5 text-right">{rate(perSecond)}</td>
              <td className="figures py-1.5 text-right">{count(total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="mt-3 text-note text-muted">
        The gate, a second:{' '}
        {now.gate
          .map(({ result, perSecond }) => `${result.replaceAll('-', ' ')} ${rate(perSecond)}`)
          .join(', ')}
        .
      </p>
    </section>
  );
}
