import type { GateHook } from '../../admission/gate/ask-gate.js';
import type { Faults } from '../../faults/faults.js';
import type { Instruments } from '../instruments.js';

// The gate only advises, so a request does not wait longer for its advice.
const patienceMs = 50;

/** The hook of the gate: a count of its answers, and faults if they are enabled. */
export function createGateHook({ gate }: Instruments, faults: Faults): GateHook {
  return {
    answered: gate.add,
    asking: faults.isEnabled ? () => faults.inject('gate', patienceMs) : undefined,
  };
}
