/** The shape of what is coming, so that nothing moves when it is there. */
export default function Loading() {
  return (
    <div aria-busy="true" className="grid gap-10 md:grid-cols-12">
      <p role="status" className="sr-only">
        Loading
      </p>
      <div className="aspect-4/5 rounded-base bg-rule md:col-span-6" />
      <div className="flex flex-col justify-end gap-6 md:col-span-6">
        <div className="h-16 w-4/5 rounded-base bg-rule" />
        <div className="h-6 w-3/5 rounded-base bg-rule" />
        <div className="h-44 rounded-base bg-rule" />
      </div>
    </div>
  );
}
