import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify';

/**
 * Holds each answer back until the requests that arrived in the same turn of the event loop have been handled, and then
 * sends all of them together. A write to a socket wakes the peer's processor. Between two reads that happens once per
 * answer; in a row, once for many of them. With 2,000 connections this gives a third more requests a second, and it
 * costs an idle server nothing: the turn ends as soon as nothing is left to read (docs/measurements/).
 *
 * @param onAnswer called for each answer when it is sent.
 */
export function createAnswerTogether(
  onAnswer: (request: FastifyRequest, reply: FastifyReply) => void = () => {},
): onSendHookHandler {
  const hold = createHold();
  return (request, reply, _payload, done) =>
    hold(() => {
      onAnswer(request, reply);
      done();
    });
}

/** Takes functions that each send an answer, and calls them at the end of the turn. */
export function createHold(): (send: () => void) => void {
  let held: (() => void)[] = [];

  function sendAll(): void {
    const answers = held;
    held = [];
    for (const send of answers) send();
  }

  return send => {
    if (held.length === 0) setImmediate(sendAll);
    held.push(send);
  };
}
