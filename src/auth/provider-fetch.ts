import type { ProviderFetch } from './oidc.ts';
export const providerFetch: ProviderFetch = () => (url, options) =>
  fetch(url, { ...options, redirect: 'manual' } as RequestInit);
