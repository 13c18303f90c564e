// For the image: as the engine finds PostgreSQL's programs at every start, but while their package may still be written to.
import { findBinaries } from '../engine/dist/platform/embedded-postgres/binaries.js';

const { postgres, majorVersion } = await findBinaries('/nowhere', undefined);
console.log(`PostgreSQL ${majorVersion} runs: ${postgres}`);
if (!postgres.startsWith(process.cwd())) throw new Error(`expected it below ${process.cwd()}`);
