// Keys: a link that has a data-key is followed by that key; j and k go from post to post.
{
  const POSTS = "article.post, .tile > a, .absences > li";
  const dialog = document.getElementById("keys");
  const letters = document.getElementById("letters");

  const posts = () => [...document.querySelectorAll(POSTS)].filter((one) => one.getClientRects().length);
  // the sticky heading of the month covers what is above this
  const top = () => (document.querySelector("h2.month")?.offsetHeight ?? 0) + 8;

  const focus = (element) => {
    if (!element.matches("a")) element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: element.matches("a") ? "nearest" : "start" });
  };

  const step = (by) => {
    const all = posts();
    const here = all.indexOf(document.activeElement?.closest(POSTS));
    const below = all.findIndex((one) => one.getBoundingClientRect().bottom > top());
    const next = here < 0 ? below + (by < 0 ? -1 : 0) : here + by;
    if (all[next]) focus(all[next]);
    else if (next > 0) follow("next");
  };

  const follow = (rel) => document.querySelector(`nav.pager a[rel="${rel}"]`)?.click();

  const month = (by) => {
    const all = [...document.querySelectorAll(".of-month")];
    const here = all.findLastIndex((one) => one.getBoundingClientRect().top < top());
    const next = by > 0 ? here + 1 : all[here]?.getBoundingClientRect().top < -8 ? here : here - 1;
    if (!all[next]) return follow(by > 0 ? "next" : "prev");
    all[next].scrollIntoView({ block: "start" });
    const first = all[next].querySelector(POSTS);
    if (first) {
      if (!first.matches("a")) first.tabIndex = -1;
      first.focus({ preventScroll: true });
    }
    announce(all[next].querySelector("h2")?.textContent ?? "");
  };

  const open = () => {
    const post = document.activeElement;
    if (post?.matches("article.post, .absences > li")) {
      (post.querySelector("a.when") ?? post.querySelector("a"))?.click();
      return true;
    }
    return false;
  };

  const commands = {
    j: () => step(1),
    k: () => step(-1),
    n: () => month(1),
    p: () => month(-1),
    g: () => document.querySelector(".pages a")?.click(),
    "/": () => document.querySelector(".find input[type=search]")?.focus(),
    "?": () => dialog?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || dialog?.open) return;
    if (event.target.closest("input, select, textarea, video, audio, [contenteditable]")) return;
    if (event.key === "Enter") return open() && event.preventDefault();
    const link = !event.shiftKey && document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    } else if (Object.hasOwn(commands, event.key) && (event.key === "?" || letters?.checked)) {
      event.preventDefault();
      commands[event.key]();
    }
  });

  if (dialog && letters) {
    letters.checked = store.get("letters", true);
    letters.addEventListener("change", () => store.set("letters", letters.checked));
    const button = made("button", "Keys", { type: "button", class: "keys" });
    button.addEventListener("click", () => dialog.showModal());
    dialog.after(button);
  }
}
