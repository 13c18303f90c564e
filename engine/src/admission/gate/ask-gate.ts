import type { Gate, GateRefusal } from './gate.js';

/** `passed` is for the ledger to decide. */
export type GateAnswer = GateRefusal | 'passed';

export const gateAnswers: readonly GateAnswer[] = ['passed', 'sale-not-open', 'limit-reached', 'sold-out'];

export type GateHook = {
  /** Before a question; where it gives a promise that is waited for, and one that rejects leaves all to the ledger. */
  asking?: (() => Promise<void> | undefined) | undefined;
  answered: (answer: GateAnswer) => void;
};

export type AskGate = Gate['check'];

/** Asks the gate, and tells the hook. Where the gate answers at once there is no promise here either. */
export function createAskGate(gate: Pick<Gate, 'check'>, { asking, answered }: GateHook): AskGate {
  function note(refusal: GateRefusal | undefined): GateRefusal | undefined {
    answered(refusal ?? 'passed');
    return refusal;
  }

  const ask: AskGate = (sale, shopperId, quantity, mayBeRetry) => {
    const answer = gate.check(sale, shopperId, quantity, mayBeRetry);
    return answer instanceof Promise ? answer.then(note) : note(answer);
  };

  return (...question) => {
    const before = asking?.();
    return before
      ? before.then(
          () => ask(...question),
          () => undefined,
        )
      : ask(...question);
  };
}
