'use client';

import { useEffect, useState } from 'react';

type Theme = 'light' | 'dark';

/** Runs before the first paint, so that nobody sees the other theme flash. */
export const themeScript = `try{var t=localStorage.getItem('doorbuster:theme');if(t==='light'||t==='dark')document.documentElement.dataset.theme=t}catch{}`;

/** The system's theme until somebody says otherwise, then theirs. */
export function ThemeToggle() {
  const [theme, setTheme] = useState<Theme>();
  useEffect(() => setTheme(currentTheme()), []);
  const other = theme === 'dark' ? 'light' : 'dark';

  function turn(): void {
    document.documentElement.dataset.theme = other;
    setTheme(other);
    try {
      localStorage.setItem('doorbuster:theme', other);
    } catch {
      // A browser that keeps nothing shows it until the page is left.
    }
  }

  return (
    <button
      type="button"
      onClick={turn}
      aria-label={`Switch to the ${other} theme`}
      className="grid size-11 place-items-center rounded-base hover:bg-rule"
    >
      <svg viewBox="0 0 24 24" aria-hidden="true" className="size-5">
        <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" strokeWidth="2.5" />
        <path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor" />
      </svg>
    </button>
  );
}

function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
