// More posts come as one scrolls; the address follows, so that back returns to the same place.
{
  const MOST = 40; // pages in one; then the link is there for the others
  const list = document.querySelector("[data-more]");
  const pager = document.querySelector("nav.pager#pages");
  const begun = location.pathname + location.search;
  let busy = false;
  let pages = 0;

  const next = () => pager.querySelector('a[rel="next"]');

  const merge = (page, address) => {
    const sections = page.querySelectorAll("[data-more] > .of-month");
    let added = 0;
    sections.forEach((section) => {
      const last = list.querySelector(":scope > .of-month:last-child");
      const first = section.querySelector("[id]");
      if (first && !added) first.dataset.page = address;
      section.querySelectorAll("[id]").forEach((one) => {
        if (document.getElementById(one.id)) one.remove();
        else added += one.matches("article.post, .tile") ? 1 : 0;
      });
      if (last?.dataset.month !== section.dataset.month) {
        list.append(document.adoptNode(section));
        return;
      }
      const grid = last.querySelector(":scope > .grid");
      const from = grid ? section.querySelector(".grid") : section;
      (grid ?? last).append(...[...from.children].filter((one) => !one.matches("h2.month")));
    });
    return added;
  };

  const load = async () => {
    const link = next();
    if (!link || busy || pages >= MOST) return;
    busy = true;
    try {
      const answer = await fetch(link.href, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const { pathname, search } = new URL(link.href);
      const added = merge(page, pathname + search);
      pages += 1;
      const after = page.querySelector('nav.pager#pages a[rel="next"]');
      if (after) link.href = after.getAttribute("href");
      else link.remove();
      announce(`${added} more`);
      watcher.unobserve(pager); // it is told again if it is still near
      watcher.observe(pager);
    } catch {
      watcher.disconnect(); // the link is still there
    } finally {
      busy = false;
    }
  };
  const watcher = new IntersectionObserver(
    (seen) => { if (seen.some((one) => one.isIntersecting)) load(); },
    { rootMargin: "1500px 0px" },
  );

  const pageAt = (y) => {
    const passed = [...list.querySelectorAll("[data-page]")].filter(
      (one) => one.getBoundingClientRect().top < y,
    );
    return passed.at(-1)?.dataset.page ?? begun;
  };

  let waiting = 0;
  const follow = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const address = pageAt(innerHeight / 2);
      if (location.pathname + location.search !== address) history.replaceState(null, "", address);
    }, 250);
  };

  // what is left by a link is found again: this post, at this height
  const remember = (event) => {
    const item = event.target.closest?.("a") && event.target.closest("[data-more] [id]");
    const whole = item?.closest("article.post, .tile");
    if (!whole?.id) return;
    const top = whole.getBoundingClientRect().top;
    const page = pageAt(top + 1);
    // in the first page, the browser knows the place itself
    if (page === begun && location.pathname + location.search === begun) return;
    history.scrollRestoration = "manual";
    history.replaceState({ id: whole.id, top }, "", `${page}#${whole.id}`);
  };

  if (list) {
    document.addEventListener("click", remember, true);
    const { id, top } = history.state ?? {};
    const place = id && history.scrollRestoration === "manual" && document.getElementById(id);
    if (place) scrollTo(0, scrollY + place.getBoundingClientRect().top - top);
    if (pager) {
      watcher.observe(pager);
      addEventListener("scroll", follow, { passive: true });
    }
  }
}
