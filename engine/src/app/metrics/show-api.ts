import type { Metrics } from '../../platform/telemetry/metrics.js';
import type { ApiFigures } from '../instruments.js';
import type { Parts } from '../parts.js';

const levels = ['none', 'browsing', 'buying', 'finishing'] as const;

/** Metrics of a process with an API: requests, the layers of protection, the gate, user ids. */
export function showApi(metrics: Metrics, parts: Parts, api: ApiFigures): void {
  showRequests(metrics, parts, api);
  showProtection(metrics, parts, api);
  showAdvice(metrics, parts, api);
}

function showRequests({ counter, gauge, histogram }: Metrics, { instruments }: Parts, api: ApiFigures): void {
  const { requests } = instruments;
  counter(
    {
      name: 'http_requests_total',
      help: 'Answered requests; a stream is counted when it ends',
      labels: ['route', 'method', 'status_code'],
    },
    () =>
      requests
        .all()
        .flatMap(({ route, method, answered }) =>
          [...answered].map(
            ([status, count]) => [{ route, method, status_code: `${status}` }, count] as const,
          ),
        ),
  );
  histogram(
    {
      name: 'http_request_duration_seconds',
      help: 'Time from entering the route, before the body is read, to the answer; excludes streams',
      labels: ['route', 'method'],
    },
    () =>
      requests
        .all()
        .filter(({ answered }) => answered.size > 0)
        .map(({ route, method, durationS }) => [{ route, method }, durationS.read()]),
  );
  gauge(
    { name: 'doorbuster_http_requests_in_flight', help: 'Requests in flight: read, but not answered yet' },
    () => [[{}, api.inFlight()]],
  );
}

function showProtection({ counter, gauge }: Metrics, { refusals }: Parts, { shedding }: ApiFigures): void {
  counter(
    {
      name: 'doorbuster_refused_total',
      help: 'Requests refused by a layer of protection',
      labels: ['layer'],
    },
    () => Object.entries(refusals).map(([layer, count]) => [{ layer }, count]),
  );
  gauge(
    {
      name: 'doorbuster_shedding_level',
      help: '1 for the current shedding level; requests up to that level are refused',
      labels: ['level'],
    },
    () => levels.map(level => [{ level }, shedding.state().level === level ? 1 : 0]),
  );
  gauge(
    {
      name: 'doorbuster_event_loop_lag_seconds',
      help: 'Smoothed lag of the event loop, as used by shedding',
    },
    () => [[{}, shedding.state().lagMs / 1000]],
  );
}

function showAdvice(
  { counter, gauge }: Metrics,
  { instruments }: Parts,
  { droppedAttempts }: ApiFigures,
): void {
  const { gate, refusedAttempts, ids, audit } = instruments;
  counter(
    {
      name: 'doorbuster_gate_answers_total',
      help: 'Answers of the gate, given before the ledger is asked',
      labels: ['result'],
    },
    () => gate.entries().map(([result, count]) => [{ result }, count]),
  );
  counter(
    {
      name: 'doorbuster_refused_attempts_total',
      help: 'Attempts to buy that did not create a new order',
      labels: ['outcome'],
    },
    () => refusedAttempts.entries().map(([outcome, count]) => [{ outcome }, count]),
  );
  counter(
    {
      name: 'doorbuster_attempts_dropped_total',
      help: 'Refused attempts that were dropped because the buffer was full, or because PostgreSQL rejected them',
    },
    () => [[{}, droppedAttempts()]],
  );
  counter({ name: 'doorbuster_ids_allocated_total', help: 'Allocated user ids', labels: ['kind'] }, () =>
    ids.allocated.entries().map(([kind, count]) => [{ kind }, count]),
  );
  counter({ name: 'doorbuster_id_requests_total', help: 'Requests for user ids', labels: ['outcome'] }, () =>
    ids.requests.entries().map(([outcome, count]) => [{ outcome }, count]),
  );
  gauge(
    {
      name: 'doorbuster_audit_violations',
      help: 'Violations of an invariant found by the last audit that this process ran',
      labels: ['invariant'],
    },
    () =>
      (audit.last()?.report.invariants ?? []).map(({ id, violations }) => [
        { invariant: `${id}` },
        violations,
      ]),
  );
  gauge(
    {
      name: 'doorbuster_audit_last_run_timestamp_seconds',
      help: 'End of the last audit that this process ran',
    },
    () => {
      const last = audit.last();
      return last ? [[{}, last.atMs / 1000]] : [];
    },
  );
}
