/** The resources that the generator used. If both share a machine, the server cannot use that CPU time. */
export interface GeneratorUsage {
  readonly cpuS: number;
  /** Share of one core during the run. Near 1, the generator is the bottleneck rather than the server. */
  readonly cpuShare: number;
  readonly rssMaxBytes: number;
}

/** Starts measuring this process. The returned function stops and gives the figures. */
export function measureUsage(): () => GeneratorUsage {
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(before);
    const cpuS = (user + system) / 1e6;
    const elapsedS = (performance.now() - startedAtMs) / 1000;
    // resourceUsage reports kilobytes.
    return { cpuS, cpuShare: cpuS / elapsedS, rssMaxBytes: process.resourceUsage().maxRSS * 1024 };
  };
}
