import type { Gate, GateRefusal } from './gate.js';

/** `passed` means that the ledger decides. */
export type GateAnswer = GateRefusal | 'passed';

export const gateAnswers: readonly GateAnswer[] = ['passed', 'sale-not-open', 'limit-reached', 'sold-out'];

export type GateHook = {
  /**
   * Called before a question. If it returns a promise, the question waits for it; if that rejects, the ledger decides.
   */
  asking?: (() => Promise<void> | undefined) | undefined;
  answered: (answer: GateAnswer) => void;
};

export type AskGate = Gate['check'];

/** Asks the gate, and tells the hook. If the gate answers at once, this makes no promise either. */
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
