import { defineConfig } from 'vite'

/** Made into `dist`, which the server reads once and serves under `/console/`. */
export default defineConfig({
  base: '/console/',
  build: {
    target: 'es2023',
    // Inlined files would be data: addresses, which the content-security policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
