// Keys for the viewer: each link that has a data-key is followed by that key. Pages work without.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, select, textarea, video, audio, [contenteditable]")) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (link) {
    event.preventDefault();
    link.click();
  }
});
// The menu closes when something else is clicked, and by Escape; what was unfolded stays so.
const shut = (keep) => {
  document.querySelectorAll("details.nav-menu[open]").forEach((menu) => {
    if (!menu.contains(keep)) menu.open = false;
  });
};
document.addEventListener("click", (event) => shut(event.target));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") shut(null); });
