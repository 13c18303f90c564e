// Serves the built pages at HOSTNAME:PORT, for the API at API_URL. Ends when the process that started it ends.
import { readFileSync } from 'node:fs';

const { WEB_KEY_FILE } = process.env;
// As for the engine's settings: where secrets are mounted as files.
if (WEB_KEY_FILE) process.env.WEB_KEY = readFileSync(WEB_KEY_FILE, 'utf8').trim();
process.once('disconnect', () => process.exit(0));
// If the engine died before this line, the event has already been missed. Only a process with a channel has `send`.
if (process.send && !process.connected) process.exit(0);
await import('./.next/standalone/web/server.js');
