/** Groups items by sale: sales in the order of their first item, items in their own order. */
export function groupBySale<Item>(
  items: readonly Item[],
  saleIdOf: (item: Item) => number,
): Map<number, Item[]> {
  const sales = new Map<number, Item[]>();
  for (const item of items) {
    const saleId = saleIdOf(item);
    const known = sales.get(saleId);
    if (known) known.push(item);
    else sales.set(saleId, [item]);
  }
  return sales;
}
