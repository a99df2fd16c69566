/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The program serves the built files itself, below whatever path a reverse proxy gives it: addresses are relative to the
// page's <base>, which the program fills in.
export default defineConfig({
  base: "./",
  plugins: [react()],
  html: { cspNonce: "NONCE-OF-THE-ANSWER" }, // the program puts a new one into every answer
  build: {
    target: "es2022",
    manifest: "manifest.json",
    assetsDir: "static", // /assets is a page
    assetsInlineLimit: 0, // the content security policy takes data: for pictures only
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
  },
  server: { proxy: { "^/(api|ws|feeds|docs|help|health|openapi)": { target: process.env.DEV_SERVER ?? "http://127.0.0.1:8000", ws: true } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
