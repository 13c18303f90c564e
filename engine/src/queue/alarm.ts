/** Wakes one waiter. If it is raised while none waits, the next wait ends at once, so that no wake-up is lost. */
export type Alarm = {
  raise(): void;
  /** Ends when the alarm is raised, or after `timeoutMs`. */
  wait(timeoutMs: number): Promise<void>;
};

export function createAlarm(): Alarm {
  let isRaised = false;
  let wake = () => {};
  return {
    raise() {
      isRaised = true;
      wake();
    },
    async wait(timeoutMs) {
      if (!isRaised) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      isRaised = false;
    },
  };
}
