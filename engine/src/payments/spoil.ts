import type { Faults } from '../platform/faults.js';
import { PaymentError, type PaymentProvider } from './provider.js';

/** Lets the faults that are set at the payment meet each call to the provider, as if they were the provider's own. */
export function spoilProvider(provider: PaymentProvider, faults: Faults): PaymentProvider {
  async function suffer(): Promise<void> {
    await faults.inject('payment')?.catch(error => {
      throw new PaymentError('PROVIDER_UNREACHABLE', 'A fault was set at the payment', error);
    });
  }
  return {
    ...provider,
    charge: (charge, signal) => suffer().then(() => provider.charge(charge, signal)),
    cancel: (charge, signal) => suffer().then(() => provider.cancel(charge, signal)),
    refund: (refund, signal) => suffer().then(() => provider.refund(refund, signal)),
  };
}
