import type { GateHook } from '../../admission/gate/ask-gate.js';
import type { Faults } from '../../faults/faults.js';
import type { Instruments } from '../instruments.js';

// The gate is advice, and advice that comes later than this is not waited for.
const patienceMs = 50;

/** What hangs on the questions to the gate: a count of its answers, and faults where they are allowed. */
export function createGateHook({ gate }: Instruments, faults: Faults): GateHook {
  return {
    answered: gate.add,
    asking: faults.isEnabled ? () => faults.inject('gate', patienceMs) : undefined,
  };
}
