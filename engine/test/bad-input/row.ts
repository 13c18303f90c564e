/** The sender of a row: the shop's server, an operator, a demo shopper, or a caller without credentials. */
export type Sender = 'shop' | 'operator' | 'shopper' | 'nobody';

/**
 * One bad request and the answer it gets. In path and body, `$P` stands for a product on sale, `$UPCOMING` for one
 * whose sale has not begun, `$S` for the sale of `$P`; `$ORDER`, `$CODE`, `$USED` and `$EXPIRED` belong to the
 * owner.
 */
export type Row = {
  what: string;
  method: string;
  path: string;
  body?: string | Buffer;
  /** `application/json` if there is a body, unless given; null sends none. */
  type?: string | null;
  headers?: Record<string, string>;
  sender: Sender;
  status: number;
  slug: string;
};

type Rest = Partial<Omit<Row, 'what' | 'method' | 'path' | 'body'>>;

const invalid = { sender: 'shop', status: 400, slug: 'invalid' } as const;

/** A POST; expects 400 `invalid` unless given. */
export function post(path: string, what: string, body: string | Buffer, rest: Rest = {}): Row {
  return { ...invalid, method: 'POST', path, what, body, ...rest };
}

/** A row without a body; expects 400 `invalid` unless given. */
export function call(method: string, path: string, rest: Rest & { what?: string } = {}): Row {
  return { ...invalid, method, path, what: `${method} ${path}`, ...rest };
}

/** A field with each of these values, as JSON text, in an otherwise valid body. */
export function withField(
  path: string,
  good: Readonly<Record<string, unknown>>,
  field: string,
  values: readonly string[],
  rest: Rest = {},
): Row[] {
  return values.map(value => {
    const { [field]: _, ...others } = good;
    const members = Object.entries(others).map(([name, other]) => `${JSON.stringify(name)}:${other}`);
    const body = `{${[...members, `${JSON.stringify(field)}:${value}`].join(',')}}`;
    return post(path, `${field} ${value.length > 40 ? `${value.slice(0, 40)}...` : value}`, body, rest);
  });
}

/** The three ways to buy, which read the same body. */
export const buyPaths = ['/api/purchase', '/api/checkout', '/api/orders'] as const;

/** A valid purchase, as JSON text by field. */
export const goodBuy = { productId: '$P', userId: '"u"' } as const;
