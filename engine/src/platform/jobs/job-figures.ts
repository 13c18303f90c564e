/** The figures of one job in this process. */
type JobFigure = {
  /** Milliseconds since 1970; before the first success, the time when this process began to run the job. */
  lastSuccessAtMs: number;
  /** Rounds and items that failed. */
  failures: number;
  itemsFailing: number;
};

export type JobFigures = {
  began(job: string): void;
  succeeded(job: string): void;
  failed(job: string): void;
  itemsFail(job: string, count: number): void;
  read(): [job: string, figure: JobFigure][];
};

export function createJobFigures(): JobFigures {
  const figures = new Map<string, JobFigure>();
  const change = (job: string, changed: (figure: JobFigure) => Partial<JobFigure>) => {
    const figure = figures.get(job) ?? { lastSuccessAtMs: Date.now(), failures: 0, itemsFailing: 0 };
    figures.set(job, { ...figure, ...changed(figure) });
  };
  return {
    began: job => change(job, () => ({})),
    succeeded: job => change(job, () => ({ lastSuccessAtMs: Date.now() })),
    failed: job => change(job, ({ failures }) => ({ failures: failures + 1 })),
    itemsFail: (job, itemsFailing) => change(job, () => ({ itemsFailing })),
    read: () => [...figures],
  };
}
