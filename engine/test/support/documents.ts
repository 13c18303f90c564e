import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

const inFolder = (folder: string, recursive: boolean) =>
  readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name));

/** Every document, by its path from the root of the repository. */
export const documents = [...inFolder('.', false), ...inFolder('docs', true), ...inFolder('loadgen', false)];

/** Documents about the present; decisions and measurements describe the time of their date. */
export const livingDocuments = documents.filter(name => !/^docs\/(decisions|measurements)\//.test(name));

export function readDocument(name: string): string {
  return readFileSync(join(root, name), 'utf8');
}

/** The text between ```sh and ```. */
export function shellBlocks(text: string): string[] {
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);
}

/** The text between backticks in running text, on one line. */
export function inlineCode(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```/gms, '');
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll(/\s+/g, ' '));
}
