// The shell syntax of the documents: words, quotes, comments, pipes, redirections, and nested commands.
const token = new RegExp(
  [
    /(?<joined>\\\n)/,
    /'(?<single>[^']*)'/,
    /"(?<double>(?:[^"\\]|\\.)*)"/,
    /\$\((?<inner>(?:[^()']|'[^']*'|\([^()]*\))*)\)/,
    /(?<comment>(?<=^|\s)#[^\n]*)/,
    /(?<end>\|\||&&|[|;&\n])/,
    /(?<redirection>\d?[<>]+)/,
    /(?<blank>[ \t]+)/,
    /\\(?<escaped>.)/,
    /(?<plain>[^\s'"|;&<>\\$#]+|[$#])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gs',
);

/** Each command of a script as its words, without leading assignments; including those within `$()`. */
export function shellCommands(script: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let isTarget = false;
  const endWord = () => {
    if (word === undefined) return;
    if (!isTarget) commands.at(-1)?.push(word);
    isTarget = false;
    word = undefined;
  };
  const within: string[] = [];
  for (const { groups = {} } of script.matchAll(token)) {
    const { joined, single, double, inner, comment, end, redirection, blank, escaped, plain } = groups;
    if (joined ?? comment ?? end ?? redirection ?? blank) endWord();
    if (end) commands.push([]);
    if (redirection) isTarget = true;
    const text = single ?? double?.replaceAll(/\\(.)/gs, '$1') ?? escaped ?? plain ?? (inner && '');
    if (text !== undefined) word = (word ?? '') + text;
    within.push(...(inner ? [inner] : commandsIn(double)));
  }
  endWord();
  const all = [...commands.map(withoutAssignments), ...within.flatMap(shellCommands)];
  return all.filter(({ length }) => length > 0);
}

function commandsIn(quoted = ''): string[] {
  return [...quoted.matchAll(/\$\(([^()]*)\)/g)].map(([, inner = '']) => inner);
}

function withoutAssignments(words: readonly string[]): string[] {
  const first = words.findIndex(word => !/^\w+=/.test(word));
  return first < 0 ? [] : words.slice(first);
}
