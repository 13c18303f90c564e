export const dynamic = 'force-dynamic';
export default async function Page() {
  const r = await fetch(`${process.env.API_URL}/api/products`);
  return <pre>{JSON.stringify(await r.json(), null, 1)}</pre>;
}
