// Serves the built pages at HOSTNAME:PORT, for the API at API_URL. Ends with whoever started it.
process.once('disconnect', () => process.exit(0));
await import('./.next/standalone/web/server.js');
