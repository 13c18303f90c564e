#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { ROAD_CONTRACTS } from './contract/road.js';
import { createShop } from './contract/shop.js';
import { findApiKey, findOperatorToken } from './credentials.js';
import { createDrive } from './drive/drive.js';
import { LoadFailure } from './failure.js';
import { requestWriter } from './http/request.js';
import { parseTarget } from './http/target.js';
import { prepareSale } from './sale.js';
import { QUANTITY, uniqueShopper } from './scenarios/scenario.js';

/*
 * For load tests with other tools: creates a sale with enough units, buys from it until the server is warm (compiled,
 * with open connections and filled caches), and prints the product to buy from.
 */

const UNITS = 10_000_000;
const PURCHASES = 20_000;
const CONNECTIONS = 50;

try {
  process.stdout.write(`${await warmUp()}\n`);
} catch (error) {
  if (!(error instanceof LoadFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function warmUp(): Promise<number> {
  const target = parseTarget(process.env.BASE_URL || 'http://127.0.0.1:3000');
  const sources = {
    apiKey: undefined,
    operatorToken: undefined,
    operatorTokenFile: undefined,
    env: process.env,
    directory: process.cwd(),
  };
  const apiKey = findApiKey(sources, true);
  const runId = randomBytes(5).toString('hex');
  const shop = createShop({
    origin: target.origin,
    operatorToken: findOperatorToken(sources, true),
    patienceMs: 0,
  });
  const { productId } = await prepareSale(shop, null, { allocation: UNITS, perUserLimit: 1 }, runId);
  const { write } = requestWriter({
    target,
    apiKey,
    runId,
    productId,
    shopperOf: uniqueShopper,
    path: ROAD_CONTRACTS.direct.path,
    keys: true,
    quantity: QUANTITY,
  });
  let refused = 0;
  const drive = createDrive(
    {
      targets: [target],
      connections: CONNECTIONS,
      pace: { kind: 'closed', requestsMax: PURCHASES, durationMs: null },
      requestTimeoutMs: 10_000,
      reconnectLimitMs: 10_000,
      write,
    },
    {
      onAnswer(_ordinal, status) {
        if (status !== ROAD_CONTRACTS.direct.status) refused += 1;
      },
      onLost() {
        refused += 1;
      },
    },
  );
  await drive.open();
  await drive.run();
  if (refused > 0) {
    throw new LoadFailure(
      'setup',
      `${refused} of ${PURCHASES} purchases were refused or lost: this server is not ready for a load test.`,
    );
  }
  return productId;
}
