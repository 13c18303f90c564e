import { Refusal } from './operator';

// 1,000,000 orders, or 200,000 attempts: what a browser can still hold, and more than a spreadsheet opens.
const pagesMax = 200;

export type Csv = { blob: Blob; rows: number; isComplete: boolean };

/**
 * Reads a listing as CSV, page after page, as its Link headers lead.
 *
 * @param onRows how many rows are there so far.
 * @throws Refusal
 */
export async function readCsv(url: string, onRows: (rows: number) => void): Promise<Csv> {
  const parts: string[] = [];
  let rows = 0;
  let next: string | undefined = url;
  for (let page = 0; next !== undefined && page < pagesMax; page++) {
    const response: Response = await fetch(next, { credentials: 'same-origin' });
    if (!response.ok) {
      throw new Refusal(undefined, `The engine answered ${response.status}. Please try again.`, undefined);
    }
    const [head = '', ...lines] = (await response.text()).split('\r\n');
    if (page === 0) parts.push(head);
    const some = lines.filter(line => line !== '');
    parts.push(...some);
    rows += some.length;
    onRows(rows);
    next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
  }
  // Excel takes a file without this mark for one of an older encoding.
  const blob = new Blob(['\uFEFF', parts.join('\r\n'), '\r\n'], { type: 'text/csv;charset=utf-8' });
  return { blob, rows, isComplete: next === undefined };
}
