// Asks whether a process of this image answers: the API's liveness, or the address that is given. The image has no curl.
const { PORT = '3000' } = process.env;
const url = process.argv[2] ?? `http://127.0.0.1:${PORT}/api/live`;

try {
  // Docker gives up after 5 s and then says nothing of what was wrong.
  const answer = await fetch(url, { signal: AbortSignal.timeout(4000), redirect: 'manual' });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`it answers ${answer.status}`);
} catch (error) {
  const reason = error instanceof Error ? (error.cause ?? error) : error;
  console.error(`${url}: ${reason}`);
  process.exitCode = 1;
}
