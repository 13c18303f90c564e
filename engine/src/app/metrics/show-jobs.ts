import type { Metrics } from '../../platform/telemetry/metrics.js';
import type { Parts } from '../parts.js';

/** The periodic jobs that this process runs or ran: those of the scheduler while it leads, and the compensator's. */
export function showJobs({ counter, gauge }: Metrics, { instruments, readings }: Parts): void {
  // Scrapers themselves set a label "job".
  const labels = ['job_name'];
  const figures = () => instruments.jobs.read();
  gauge(
    {
      name: 'doorbuster_job_last_success_timestamp_seconds',
      help: 'End of the last successful round of a periodic job; before the first, when this process began to run the job',
      labels,
    },
    () => figures().map(([job_name, { lastSuccessAtMs }]) => [{ job_name }, lastSuccessAtMs / 1000]),
  );
  counter(
    {
      name: 'doorbuster_job_failures_total',
      help: 'Failed rounds and failed items of periodic jobs; the log names them',
      labels,
    },
    () => figures().map(([job_name, { failures }]) => [{ job_name }, failures]),
  );
  gauge(
    {
      name: 'doorbuster_job_failing_items',
      help: 'Items of a periodic job whose last try failed, up to 1,000',
      labels,
    },
    () => figures().map(([job_name, { itemsFailing }]) => [{ job_name }, itemsFailing]),
  );
  gauge(
    {
      name: 'doorbuster_attempts_default_rows',
      help: 'Attempts in the default partition because the partition of their day was missing, up to 10,001',
    },
    async () => {
      const count = await readings.attempts.get();
      return count === undefined ? [] : [[{}, count]];
    },
  );
}
