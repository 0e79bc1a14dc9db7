// Buttons beside a strip, for those who have no wheel and no finger to scroll it with.
{
  const equip = (strip) => {
    const beside = document.createElement("div");
    beside.className = "beside";
    strip.before(beside);
    const [back, on] = [["back", "‹", "Previous"], ["on", "›", "Next"]].map(([name, sign, label]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `step ${name}`;
      button.textContent = sign;
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => {
        const width = strip.firstElementChild.getBoundingClientRect().width + 8;
        const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
        strip.scrollBy({ left: name === "on" ? width : -width, behavior });
      });
      return button;
    });
    beside.append(back, strip, on);
    const update = () => {
      back.disabled = strip.scrollLeft < 8;
      on.disabled = strip.scrollLeft > strip.scrollWidth - strip.clientWidth - 8;
    };
    strip.addEventListener("scroll", update, { passive: true });
    update();
  };
  const equipAll = () => {
    document.querySelectorAll(".strip:not(.beside > .strip)").forEach(equip);
  };
  equipAll();
  new MutationObserver(equipAll).observe(document.body, { childList: true, subtree: true });
}
