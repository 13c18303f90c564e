import type { Server } from 'node:http';
import type { Socket } from 'node:net';

// Every purchase is answered by then. A caller that is gone looks the same at first, and holds its place this long at most.
const goneAfterMs = 3000;

/** Answers callers that end their half of the connection after their request; Node by itself closes on them unanswered. */
export function answerHalfClosed(server: Server): void {
  // Node's own name for it, without a type; `allowHalfOpen` is about the socket alone.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket: Socket) => {
    socket.once('end', () => {
      // Node has ended it already where no answer is under way.
      if (!socket.writableEnded) setTimeout(() => socket.destroy(), goneAfterMs).unref();
    });
  });
}
