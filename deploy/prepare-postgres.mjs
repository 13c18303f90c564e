// For the image build: locates PostgreSQL's programs as the engine does at every start, while their package is still
// writable.
import { findBinaries } from '../engine/dist/platform/embedded-postgres/binaries.js';

const { postgres, majorVersion } = await findBinaries('/nowhere', undefined);
console.log(`PostgreSQL ${majorVersion} runs: ${postgres}`);
if (!postgres.startsWith(process.cwd())) throw new Error(`expected it below ${process.cwd()}`);
