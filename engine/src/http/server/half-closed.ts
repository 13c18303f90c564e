import type { Server } from 'node:http';
import type { Socket } from 'node:net';

// Every purchase is answered by then. A caller that has disconnected looks the same at first, and keeps its place no
// longer than this.
const goneAfterMs = 3000;

/**
 * Answers callers that close their half of the connection after the request; Node alone would close without an answer.
 */
export function answerHalfClosed(server: Server): void {
  // Node's own option, which has no type; `allowHalfOpen` concerns only the socket.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket: Socket) => {
    socket.once('end', () => {
      // If no answer is under way, Node has already ended it.
      if (!socket.writableEnded) setTimeout(() => socket.destroy(), goneAfterMs).unref();
    });
  });
}
