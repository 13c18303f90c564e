import { count } from '../../ui/format';
import type { Line, Tone } from './chart';
import { type LiveFrame, timesOf } from './history';
import { Panel, type Row } from './panel';
import { age, millis, rate } from './words';

type Frames = readonly LiveFrame[];
type Props = { frames: Frames; now: LiveFrame };

const dashed = [6, 4];
const dotted = [2, 3];

function lineOf(
  frames: Frames,
  name: string,
  tone: Tone,
  read: (frame: LiveFrame) => number | null,
  dash?: readonly number[],
): Line {
  return { name, tone, values: frames.map(read), ...(dash && { dash }) };
}

type Look = { tone: Tone; dash?: readonly number[] };

const threeLooks: readonly Look[] = [
  { tone: 'ink' },
  { tone: 'accent', dash: dashed },
  { tone: 'bad', dash: dotted },
];

/** Up to three figures of one kind, each a line. */
function rowsOf<Value extends number | null>(
  { frames, now }: Props,
  format: (value: Value) => string,
  reads: Record<string, (frame: LiveFrame) => Value>,
): Row[] {
  return Object.entries(reads).map(([name, read], position) => {
    const { tone, dash }: Look = threeLooks[position] ?? { tone: 'muted' };
    return { name, text: format(read(now)), line: lineOf(frames, name, tone, read, dash) };
  });
}

export function RequestsPanel(props: Props) {
  const rows = rowsOf(props, rate, {
    Answered: ({ requests }) => requests.ok,
    'Refused (4xx)': ({ requests }) => requests.refused,
    'Failed (5xx)': ({ requests }) => requests.failed,
  });
  return <Panel title="Requests" unit="a second" times={timesOf(props.frames)} rows={rows} />;
}

export function LatencyPanel(props: Props) {
  const rows = rowsOf(props, millis, {
    P50: ({ requests }) => requests.p50Ms,
    P95: ({ requests }) => requests.p95Ms,
    P99: ({ requests }) => requests.p99Ms,
  });
  const note = 'Within the engine, over the last five seconds; as fine as the buckets they are counted in.';
  return <Panel title="Latency" unit="ms" times={timesOf(props.frames)} rows={rows} note={note} />;
}

export function OrdersPanel({ frames, now }: Props) {
  const { perSecond, p95Ms, batchSize, waiting, oldestWaitMs } = now.orders;
  const rows: Row[] = [
    {
      name: 'Orders made',
      text: rate(perSecond),
      line: lineOf(frames, 'Orders', 'good', one => one.orders.perSecond),
    },
    { name: 'Decided in, P95', text: millis(p95Ms) },
    { name: 'In a batch', text: batchSize === null ? '–' : rate(batchSize) },
    { name: 'Waiting', text: `${count(waiting)}, ${age(oldestWaitMs)}` },
  ];
  return <Panel title="Orders" unit="a second" times={timesOf(frames)} rows={rows} />;
}

export function QueuePanel({ frames, now }: Props) {
  const { queue, lateOrders, deadLetters } = now;
  const rows: Row[] = [
    {
      name: 'Ready',
      text: queue ? count(queue.ready) : '–',
      line: lineOf(frames, 'Ready', 'ink', one => one.queue?.ready ?? null),
    },
    { name: 'Oldest', text: queue ? age(queue.oldestAgeMs) : '–' },
    { name: 'In hand', text: queue ? count(queue.inFlight) : '–' },
    { name: 'Delayed', text: queue ? count(queue.delayed) : '–' },
    { name: 'Late by a minute', text: lateOrders === null ? '–' : count(lateOrders) },
    { name: 'Dead letters', text: deadLetters === null ? '–' : count(deadLetters) },
  ];
  const note = queue === null ? 'The queue cannot be read now.' : undefined;
  return <Panel title="Queue" unit="orders" times={timesOf(frames)} rows={rows} note={note} />;
}

const saleLooks: readonly Look[] = [...threeLooks, { tone: 'good', dash: [10, 3, 2, 3] }, { tone: 'muted' }];

/** What is left of each sale, in hundredths of what it had: so that a large one does not hide a small one. */
export function StockPanel({ frames, now }: Props) {
  const sales = now.stock?.sales ?? [];
  const rows = sales.map(({ saleId, productName, available, allocation }, position): Row => {
    const look = saleLooks[position];
    const share = (frame: LiveFrame) => shareLeft(frame, saleId);
    const line = look && lineOf(frames, `${saleId}`, look.tone, share, look.dash);
    const text = `${count(available)} of ${count(allocation)}`;
    return { name: `${productName} (sale ${saleId})`, text, ...(line && { line }) };
  });
  return (
    <Panel
      title="Stock left"
      unit="% of the allocation"
      times={timesOf(frames)}
      rows={rows}
      note={stockNote(now.stock)}
      areRowsBelow
    />
  );
}

function shareLeft({ stock }: LiveFrame, saleId: number): number | null {
  const sale = stock?.sales.find(one => one.saleId === saleId);
  return sale ? (sale.available / sale.allocation) * 100 : null;
}

function stockNote(stock: LiveFrame['stock']): string | undefined {
  if (!stock) return 'The stock can not be read now.';
  const { saleCount, sales } = stock;
  if (saleCount === 0) return 'No sale is under way.';
  if (saleCount > sales.length) return `${saleCount} sales are under way; those that began last are shown.`;
  return sales.length > saleLooks.length ? 'The first five are drawn.' : undefined;
}
