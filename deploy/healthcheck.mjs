// Checks whether a process of this image answers: the API's liveness probe, or the given URL. The image has no curl.
const { PORT = '3000' } = process.env;
const url = process.argv[2] ?? `http://127.0.0.1:${PORT}/api/live`;

try {
  // Docker gives up after 5 s and then does not report the reason.
  const answer = await fetch(url, { signal: AbortSignal.timeout(4000), redirect: 'manual' });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
} catch (error) {
  const reason = error instanceof Error ? (error.cause ?? error) : error;
  console.error(`${url}: ${reason}`);
  process.exitCode = 1;
}
