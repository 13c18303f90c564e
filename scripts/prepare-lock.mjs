import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

// Longer than an installation over a slow connection takes.
const waitMaxMs = 15 * 60_000;
const lookEveryMs = 200;

/**
 * Runs the work while no other process does, so that `npm start` and `npm test` in two terminals do not install at the
 * same time. The lock is a file created by link(2), which is atomic. Throws after waiting for 15 minutes.
 * @param {string} path
 * @param {() => Promise<void>} work
 */
export async function withLock(path, work) {
  const deadline = Date.now() + waitMaxMs;
  for (let look = 0; !take(path); look++) {
    const owner = ownerOf(path);
    if (owner === undefined) continue;
    if (!isAlive(owner)) removeStale(path, owner);
    else if (Date.now() > deadline)
      throw new Error(
        `Process ${owner} still holds ${path}. If that process is not preparing, remove the file.`,
      );
    else {
      if (look === 0) console.log(`prepare: process ${owner} is already preparing; waiting for it`);
      await delay(lookEveryMs);
    }
  }
  const giveBack = () => rmSync(path, { force: true });
  process.once('exit', giveBack);
  try {
    await work();
  } finally {
    process.off('exit', giveBack);
    giveBack();
  }
}

/** @param {string} path */
function take(path) {
  const claim = `${path}.${process.pid}`;
  writeFileSync(claim, `${process.pid}\n`);
  try {
    linkSync(claim, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(claim, { force: true });
  }
}

/**
 * Undefined if the lock was just released.
 * @param {string} path
 */
function ownerOf(path) {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Two waiting processes may both see the dead owner's file, and the slower one would then remove the faster one's new
 * lock. It notices this by the pid and puts that lock back.
 * @param {string} path
 * @param {number} owner
 */
function removeStale(path, owner) {
  const moved = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (ownerOf(moved) !== owner && statSync(path, { throwIfNoEntry: false }) === undefined)
    linkSync(moved, path);
  rmSync(moved, { force: true });
}

/**
 * @param {unknown} error
 * @returns {unknown}
 */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
