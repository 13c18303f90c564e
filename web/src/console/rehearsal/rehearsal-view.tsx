import { PageHead } from '../page-head';

const commands = ['race', 'sellout', 'mixed']
  .map(scenario => `npm run load -- --scenario ${scenario}`)
  .join('\n');

export function RehearsalView() {
  return (
    <>
      <PageHead
        title="Rehearsal"
        lead="Before a drop, see what the crowd will do to it. The load generator plays shoppers against a sale of its own and judges every answer."
      />
      <p className="max-w-(--measure)">It runs from a terminal, on this machine or on another:</p>
      <pre className="mt-3 rounded-base bg-slab p-4 whitespace-pre-wrap text-on-slab">{commands}</pre>
    </>
  );
}
