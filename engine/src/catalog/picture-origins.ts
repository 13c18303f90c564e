import { LRUCache } from 'lru-cache';
import type { Queryable } from '../platform/postgres.js';

/** The origins of product pictures, such as https://pictures.example, except those that the shop itself serves. */
export type ReadPictureOrigins = () => Promise<readonly string[]>;

// A drop that was just added shows its picture on pages that are opened after this; pages opened meanwhile share one query.
const ageMaxMs = 2000;
// About 30 bytes each in a header of every page. A shop keeps its pictures in one or two places; the newest come first.
const originsMax = 20;

/** Never rejects: without the database, the last known origins are returned. */
export function createReadPictureOrigins(db: Queryable): ReadPictureOrigins {
  let known: readonly string[] = [];
  const readings = new LRUCache<'all', Promise<readonly string[]>>({ max: 1, ttl: ageMaxMs });

  async function read(): Promise<readonly string[]> {
    try {
      known = await readPictureOrigins(db);
    } catch {
      // Pages lack the newest pictures until the database answers again.
    }
    return known;
  }

  return () => {
    const reading = readings.get('all') ?? read();
    if (!readings.has('all')) readings.set('all', reading);
    return reading;
  };
}

/**
 * Reads all products, at most a few thousand. Locks: none beyond those of reading. Index: none.
 */
async function readPictureOrigins(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ url: string }>({
    name: 'read-picture-origins',
    text: `select substring(image_url from '^https?://[^/?#]+') as url from products
           where image_url ~ '^https?://' group by 1 order by max(product_id) desc limit $1`,
    values: [originsMax],
  });
  return [...new Set(rows.flatMap(({ url }) => originOf(url)))];
}

/** An origin in the header must contain no character that would end its directive; pictures from such a host are blocked. */
function originOf(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { origin } = new URL(url);
  return /^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(origin) ? [origin] : [];
}
