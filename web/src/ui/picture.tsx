'use client';

import { useCallback, useState } from 'react';

/**
 * A product's picture, or one drawn from its number where it has none or it can not be had. Four to five, so that nothing
 * moves when it arrives.
 */
export function Picture(props: {
  id: number;
  url: string | null;
  shape?: keyof typeof shapes;
  isFirst?: boolean;
}) {
  const { id, url, shape = 'tall', isFirst = false } = props;
  const box = `${shapes[shape]} w-full rounded-base bg-rule object-cover`;
  const [isLost, setLost] = useState(false);
  // It may have failed before the page came alive.
  const look = useCallback((image: HTMLImageElement | null) => {
    if (image?.complete && image.naturalWidth === 0) image.decode().catch(() => setLost(true));
  }, []);
  if (!url || isLost) return <DrawnPicture id={id} box={box} />;
  return (
    // biome-ignore lint/performance/noImgElement: drawn pictures of a few kilobytes, served as they are.
    <img
      ref={look}
      src={url}
      onError={() => setLost(true)}
      alt=""
      width={800}
      height={1000}
      fetchPriority={isFirst ? 'high' : 'auto'}
      loading={isFirst ? 'eager' : 'lazy'}
      className={box}
    />
  );
}

const shapes = {
  tall: 'aspect-4/5',
  square: 'aspect-square',
  // A phone's first screen has to have room for the stock.
  'square-on-phone': 'max-md:aspect-square max-md:rounded-none aspect-4/5',
};

const grounds = ['#b9c8f5', '#e8552f', '#0d4a52', '#d9d2b4', '#7f9150', '#f7b53c'];

function DrawnPicture({ id, box }: { id: number; box: string }) {
  const ground = grounds[id % grounds.length];
  const turn = (id * 47) % 180;
  return (
    <svg viewBox="0 0 800 1000" preserveAspectRatio="xMidYMid slice" aria-hidden="true" className={box}>
      <rect width="800" height="1000" fill={ground} />
      <g transform={`rotate(${turn} 400 500)`} fill="#0e0f10">
        <rect x="150" y="250" width="500" height="500" opacity="0.16" />
        <path d="M150 250h500L150 750z" opacity="0.8" />
        <circle cx="520" cy="620" r="110" fill="#ffd60a" />
      </g>
    </svg>
  );
}
