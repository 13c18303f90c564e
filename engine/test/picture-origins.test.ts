import { describe, expect, it, vi } from 'vitest';
import { createReadPictureOrigins } from '../src/catalog/picture-origins.js';
import { createProduct } from '../src/catalog/products.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';

describe('origins of pictures', () => {
  it('are those of the products, each once, the newest 20, and none that could inject into a header', async () => {
    const { pool } = await createTestDatabase();
    const urls = [
      ...Array.from({ length: 25 }, (_, id) => `https://pictures-${id}.example/a?b#c`),
      'https://Pictures-24.example/another',
      'http://127.0.0.1:8080/a.png',
      "https://a;script-src'unsafe-inline'.example/a.png",
      'https://user:secret@pictures-24.example/a.png',
      '/pictures/own.svg',
    ];
    for (const imageUrl of urls)
      await createProduct(pool, { name: 'Poster', imageUrl, priceMinor: 1, currency: 'EUR' });
    const origins = await createReadPictureOrigins(pool)();
    expect(origins.slice(0, 3)).toEqual([
      'https://pictures-24.example',
      'http://127.0.0.1:8080',
      'https://pictures-23.example',
    ]);
    expect(origins.length).toBeLessThanOrEqual(20);
    expect(origins.join()).not.toMatch(/[;' ]|secret/);
  });

  it('are read once for concurrent callers, and keep their last known value while the database is unreachable', async () => {
    const { pool } = await createTestDatabase();
    await createProduct(pool, {
      name: 'Poster',
      imageUrl: 'https://a.example/1',
      priceMinor: 1,
      currency: 'EUR',
    });
    const query = vi.spyOn(pool, 'query');
    const read = createReadPictureOrigins(pool);
    await Promise.all([read(), read()]);
    expect(query).toHaveBeenCalledTimes(1);
    query.mockRejectedValue(new Error('the database is unreachable'));
    await until(
      'the database is queried again',
      async () => (await read()) && query.mock.calls.length > 1,
      10_000,
    );
    expect(await read()).toEqual(['https://a.example']);
  });
});
