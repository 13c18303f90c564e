import type { Counts } from '../../platform/telemetry/counts.js';
import type { Gate, GateRefusal } from './gate.js';

/** `passed` is for the ledger to decide. */
export type GateAnswer = GateRefusal | 'passed';

export const gateAnswers: readonly GateAnswer[] = ['passed', 'sale-not-open', 'limit-reached', 'sold-out'];

/** Counts what a gate answers. Where it answers at once there is no promise here either. */
export function observeGate(gate: Gate, answers: Counts<GateAnswer>): Gate {
  function note(refusal: GateRefusal | undefined): GateRefusal | undefined {
    answers.add(refusal ?? 'passed');
    return refusal;
  }

  return {
    ...gate,
    check(sale, shopperId, quantity, mayBeRetry) {
      const answer = gate.check(sale, shopperId, quantity, mayBeRetry);
      return answer instanceof Promise ? answer.then(note) : note(answer);
    },
  };
}
