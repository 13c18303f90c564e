import type { Metadata } from 'next';
import { Suspense } from 'react';
import { SignIn } from '../../../console/sign-in';

export const metadata: Metadata = { title: 'Sign in' };

export default function SignInPage() {
  return (
    <main id="main" tabIndex={-1} className="page grid grow place-items-center py-16 outline-none">
      <Suspense>
        <SignIn />
      </Suspense>
    </main>
  );
}
