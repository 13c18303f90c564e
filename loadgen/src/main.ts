#!/usr/bin/env node
import { load } from './load.js';

process.exitCode = await load(process.argv.slice(2));
