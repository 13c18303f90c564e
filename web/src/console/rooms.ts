/** The rooms of the console, as its navigation shows them. */
export const rooms: readonly { title: string; pages: readonly { href: string; name: string }[] }[] = [
  { title: 'Now', pages: [{ href: '/admin', name: 'Live' }] },
  {
    title: 'Selling',
    pages: [
      { href: '/admin/sales', name: 'Sales' },
      { href: '/admin/products', name: 'Products' },
      { href: '/admin/revenue', name: 'Revenue' },
    ],
  },
  {
    title: 'What happened',
    pages: [
      { href: '/admin/orders', name: 'Orders' },
      { href: '/admin/attempts', name: 'Attempts' },
      { href: '/admin/dead-letters', name: 'Dead letters' },
      { href: '/admin/audit', name: 'Audit' },
    ],
  },
  {
    title: 'Practice',
    pages: [
      { href: '/admin/faults', name: 'Faults' },
      { href: '/admin/rehearsal', name: 'Rehearsal' },
    ],
  },
  {
    title: 'Operators',
    pages: [
      { href: '/admin/trail', name: 'Trail' },
      { href: '/admin/sessions', name: 'Sessions' },
    ],
  },
];

/** Whether a page, or one below it, is the one that is shown. */
export function isCurrent(href: string, pathname: string): boolean {
  return href === pathname || (href !== '/admin' && pathname.startsWith(`${href}/`));
}
