import { LRUCache } from 'lru-cache';
import type { Queryable } from '../platform/postgres.js';

/** Where the pictures of products are, as origins such as https://pictures.example; those of the shop itself are not listed. */
export type ReadPictureOrigins = () => Promise<readonly string[]>;

// A drop that was just added is looked at in a page that is opened then; one query for all who open pages meanwhile.
const ageMaxMs = 2000;
// Some 30 bytes each in a header of every page. A shop keeps its pictures in one place or two; the newest come first.
const originsMax = 20;

/** Never rejects: without the database the last known are given. */
export function createReadPictureOrigins(db: Queryable): ReadPictureOrigins {
  let known: readonly string[] = [];
  const readings = new LRUCache<'all', Promise<readonly string[]>>({ max: 1, ttl: ageMaxMs });

  async function read(): Promise<readonly string[]> {
    try {
      known = await readPictureOrigins(db);
    } catch {
      // Pages are shown without the newest pictures until it answers again.
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
 * Reads all products, of which there are thousands at most; no index, no locks beyond those of reading.
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

/** What stands in a header has no character that would end its directive; a host that has one shows no pictures. */
function originOf(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { origin } = new URL(url);
  return /^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(origin) ? [origin] : [];
}
