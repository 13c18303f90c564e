import { parser } from '@prometheus-io/lezer-promql';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

export type Matcher = { label: string; operator: string; value: string };
/** One series selector of a query: its metric and its label matchers. */
export type Selector = { metric: string; matchers: Matcher[] };
export type Query = {
  selectors: Selector[];
  /** Labels that the query groups by or matches on. */
  grouping: string[];
};

/** The selectors and labels of a PromQL query, parsed with Prometheus' own grammar. @throws for invalid PromQL. */
export function parseQuery(query: string): Query {
  const textOf = ({ from, to }: { from: number; to: number }) => query.slice(from, to);
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  parser.parse(query).iterate({
    enter({ node, type }) {
      if (type.isError) throw new Error(`invalid PromQL at ${node.from}: ${query}`);
      if (type.name === 'VectorSelector') selectors.push(readSelector(node, textOf));
      if (type.name === 'GroupingLabels') grouping.push(...node.getChildren('LabelName').map(textOf));
    },
  });
  return { selectors, grouping };
}

function readSelector(node: SyntaxNode, textOf: (node: SyntaxNode) => string): Selector {
  const [name] = node.getChildren('Identifier');
  const matchers = node.getChildren('LabelMatchers').flatMap(list =>
    list.getChildren('UnquotedLabelMatcher').map(matcher => {
      const [label = '', operator = '', value = '""'] = childrenOf(matcher).map(textOf);
      return { label, operator, value: String(JSON.parse(value)) };
    }),
  );
  return { metric: name ? textOf(name) : '', matchers };
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return ['LabelName', 'MatchOp', 'StringLiteral'].flatMap(name => node.getChildren(name));
}
