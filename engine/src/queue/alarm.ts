/** Wakes one waiter. Raised while nobody waits, it lets the next wait end at once, so that no wake-up is lost. */
export type Alarm = {
  raise(): void;
  /** Ends when the alarm is raised, at the latest after `timeoutMs`. */
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
