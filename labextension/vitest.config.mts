import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { environment: 'jsdom', include: ['tests/**/*.test.{ts,tsx}'], env: { TZ: 'UTC' }, testTimeout: 30_000 }
});
