// Light or dark before anything is drawn, so that no page flashes in the other.
(function () {
  var chosen = "auto";
  try { chosen = localStorage.getItem("patchscout-scheme") || "auto"; } catch (e) { /* storage is off: follow the system */ }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
