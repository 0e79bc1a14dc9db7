// What has room on a wide screen is unfolded there.
document.querySelectorAll("details[data-wide]").forEach((one) => {
  one.open = matchMedia("(min-width: 50rem)").matches;
});
// The menu closes when something else is clicked, and by Escape; what was unfolded stays so.
{
  const shut = (keep) => {
    document.querySelectorAll("details.nav-menu[open]").forEach((menu) => {
      if (!menu.contains(keep)) menu.open = false;
    });
  };
  document.addEventListener("click", (event) => shut(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") shut(null);
  });
}
