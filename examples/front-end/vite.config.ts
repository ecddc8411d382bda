import { defineConfig } from 'vite'

export default defineConfig({
  // The origin that Keyward's `CORS_ORIGINS` allows by default.
  server: { host: 'localhost', port: 3000, strictPort: true },
})
