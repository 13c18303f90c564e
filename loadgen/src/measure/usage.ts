/** What the generator itself took. Its CPU is missing from the server's when both share the machine. */
export interface GeneratorUsage {
  readonly cpuS: number;
  /** Share of one core during the run; near 1 the generator is the bottleneck, not the server. */
  readonly cpuShare: number;
  readonly rssMaxBytes: number;
}

/** Starts measuring this process; the answer ends it. */
export function measureUsage(): () => GeneratorUsage {
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(before);
    const cpuS = (user + system) / 1e6;
    const elapsedS = (performance.now() - startedAtMs) / 1000;
    // resourceUsage gives kilobytes.
    return { cpuS, cpuShare: cpuS / elapsedS, rssMaxBytes: process.resourceUsage().maxRSS * 1024 };
  };
}
