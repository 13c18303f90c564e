/**
 * Shares of a whole, drawn over each other in their order. As a picture, since the policy of the pages allows no styles on
 * elements, which is how a width that the server renders would have to be given.
 */
export function Bar(props: { fills: readonly { share: number; look: string }[]; className: string }) {
  const { fills, className } = props;
  return (
    <svg
      viewBox="0 0 1 1"
      preserveAspectRatio="none"
      aria-hidden="true"
      className={`block w-full rounded-[2px] ${className}`}
    >
      {fills.map(({ share, look }) => (
        <rect key={look} width={Math.min(1, Math.max(0, share))} height="1" className={look} />
      ))}
    </svg>
  );
}
