import { readFileSync } from 'node:fs';
import { DockerfileParser } from 'dockerfile-ast';

/**
 * @typedef {{ keyword: string, line: number, flags: { name: string, value: string | null }[], text: string, words: string[] }} Step
 * @typedef {{ name: string, base: string, steps: Step[] }} Stage
 */

/**
 * The stages of a Dockerfile in order, with the values of its global ARGs filled in.
 * @param {string} path
 * @returns {Stage[]}
 */
export function readDockerfile(path) {
  const dockerfile = DockerfileParser.parse(readFileSync(path, 'utf8'));
  const values = new Map(dockerfile.getInitialARGs().map(arg => split(arg.getArgumentsContent() ?? '')));
  /** @type {Stage[]} */
  const stages = [];
  for (const instruction of dockerfile.getInstructions()) {
    const step = stepOf(instruction);
    if (step.keyword === 'FROM') {
      const [base = '', , name = `stage-${stages.length}`] = step.words;
      stages.push({ name, base: withValues(base, values), steps: [] });
    } else stages.at(-1)?.steps.push(step);
  }
  return stages;
}

/** @param {import('dockerfile-ast').Instruction} instruction */
function stepOf(instruction) {
  const flags =
    'getFlags' in instruction && typeof instruction.getFlags === 'function' ? instruction.getFlags() : [];
  const content = instruction.getArgumentsContent() ?? '';
  const text = content
    .split(/\s*\\\n\s*/)
    .join(' ')
    .replace(/^(--\S+\s+)+/, '');
  return {
    keyword: instruction.getKeyword(),
    line: instruction.getRange().start.line + 1,
    flags: flags.map((/** @type {import('dockerfile-ast').Flag} */ flag) => ({
      name: flag.getName(),
      value: flag.getValue(),
    })),
    text,
    words: text.startsWith('[') ? JSON.parse(text) : text.split(/\s+/),
  };
}

/**
 * @param {string} text
 * @param {Map<string, string>} values
 */
function withValues(text, values) {
  return text.replace(/\$\{(\w+)\}/g, (whole, name) => values.get(name) ?? whole);
}

/**
 * @param {string} text NAME=value
 * @returns {[string, string]}
 */
export function split(text) {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
