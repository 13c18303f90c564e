/** The shape of a page that is on its way. */
export function Skeleton() {
  return (
    <div aria-busy="true">
      <p role="status" className="sr-only">
        Loading
      </p>
      <div className="h-8 w-48 rounded-base bg-rule" />
      <div className="mt-8 h-64 rounded-base bg-rule opacity-60" />
    </div>
  );
}
