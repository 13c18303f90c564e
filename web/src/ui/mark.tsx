/** The sign of the house: a door that has just been pushed open. */
export function Mark() {
  return (
    <svg viewBox="0 0 28 28" aria-hidden="true" className="size-7">
      <rect width="28" height="28" rx="3" fill="var(--accent)" />
      <path d="M6 4h11v20H6z" fill="#0e0f10" opacity="0.22" />
      <path d="M6 4 15 8v20L6 24z" fill="#0e0f10" />
      <circle cx="12.6" cy="16.6" r="1.3" fill="var(--accent)" />
    </svg>
  );
}
