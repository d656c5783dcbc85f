import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The coordinator checks Origin on the socket and on every write, so the proxy presents the coordinator's own.
const coordinator = process.env.FLOTILLA_URL ?? "http://127.0.0.1:4242";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  server: {
    proxy: {
      "/api": { target: coordinator, changeOrigin: true, ws: true, headers: { origin: coordinator } },
    },
  },
  build: { target: "es2023", manifest: true, chunkSizeWarningLimit: 700 },
  test: {
    environment: "node",
    include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
    // A machine that is busy with other things is no failure.
    testTimeout: 60_000,
  },
});
