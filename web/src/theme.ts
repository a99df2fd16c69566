import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

// One hue for what can be done, greys for all else: colour is left for what is urgent.
const teal: MantineColorsTuple = ["#effcf9", "#d5f5ee", "#a9e9dc", "#76dac7", "#43c3ae", "#1fa592", "#0f8a7b", "#0f766e", "#115e59", "#134e4a"];
const gray: MantineColorsTuple = ["#f8f9fb", "#f1f3f6", "#e6e9ee", "#d5dae2", "#b3bbc7", "#8792a2", "#5f6b7b", "#475262", "#333c49", "#1f2630"];
const dark: MantineColorsTuple = ["#d9dee6", "#b8c0cc", "#98a3b3", "#6b7788", "#39424f", "#2b333e", "#20262f", "#161b22", "#10141a", "#0b0e13"];

// The head of a dialog is not the head of the page, which is what a header outside of an article would be.
const innerHeader = { header: { role: "none" } };

export const theme = createTheme({
  primaryColor: "teal",
  primaryShade: 7, // also on dark pages: white on anything lighter has too little contrast (WCAG 1.4.3)
  colors: { teal, gray, dark },
  autoContrast: true,
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: {
    fontWeight: "650",
    sizes: { h1: { fontSize: "1.375rem", lineHeight: "1.3" }, h2: { fontSize: "1rem", lineHeight: "1.4" }, h3: { fontSize: "0.875rem", lineHeight: "1.4" } },
  },
  defaultRadius: "md",
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "10px", xl: "16px" },
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", comboboxProps: { shadow: "md" } } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Drawer: { defaultProps: { attributes: innerHeader } },
    Modal: { defaultProps: { attributes: innerHeader, centered: true, overlayProps: { backgroundOpacity: 0.45 } } },
  },
});

/** variables are the colours that Mantine has no names for; app.css uses them. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-dimmed": "#5b6675",
    "--mantine-color-placeholder": "#667283",
    "--mantine-color-error": "#b42318",
    "--mantine-color-anchor": "#0b6b62",
  },
  dark: {
    "--mantine-color-body": "#10141a",
    "--mantine-color-text": "#dfe4ec",
    "--mantine-color-dimmed": "#9aa5b4",
    "--mantine-color-placeholder": "#8b97a8",
    "--mantine-color-error": "#ff8f80",
    "--mantine-color-anchor": "#4fd1bd",
  },
});
