import Link from 'next/link';
import type { ComponentProps } from 'react';

/** Next fetches ahead what a link in view leads to: with a crowd that looks at a list, every drop for each of them. */
export function PlainLink(props: ComponentProps<typeof Link>) {
  return <Link prefetch={false} {...props} />;
}
