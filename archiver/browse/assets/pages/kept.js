// Saved searches, and alarms that were seen: kept in this browser, since pages write to no archive.
{
  const KEPT = `kept:${archive}`;
  const SEEN = `seen:${archive}`;
  const saved = () => store.get(KEPT, []);

  const show = (list, remove) => {
    list.replaceChildren(...saved().map(({ name, address }) => {
      const item = made("li", "");
      item.append(made("a", name, { href: address }));
      if (remove) {
        const button = made("button", "×", { type: "button", "aria-label": `Forget ${name}` });
        button.addEventListener("click", () => {
          store.set(KEPT, saved().filter((one) => one.name !== name));
          announce(`${name} is forgotten`);
          showAll();
          document.querySelector(".keep button")?.focus();
        });
        item.append(button);
      }
      return item;
    }));
  };

  const showAll = () => {
    document.querySelectorAll("[data-kept-list], [data-kept]").forEach((place) => {
      place.hidden = !place.matches("[data-kept]") && !saved().length;
      show(place.querySelector(".chips"), true);
    });
  };

  const form = document.querySelector(".keep");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = form.querySelector("input");
    const name = field.value.trim() || document.title;
    const search = new URLSearchParams(location.search);
    ["before", "after", "at"].forEach((place) => search.delete(place));
    const address = `${location.pathname}?${search}`;
    store.set(KEPT, [...saved().filter((one) => one.name !== name), { name, address }]);
    field.value = "";
    showAll();
    announce(`${name} is saved`);
  });
  form?.querySelector("input").setAttribute("placeholder", document.querySelector("h1").textContent.replace(/: .*/, ""));
  showAll();

  const alarms = document.querySelector("[data-seen]");
  if (alarms) {
    const items = [...alarms.querySelectorAll("li")];
    const sentence = (item) => item.querySelector("a").textContent;
    const present = items.map(sentence);
    const seen = new Set(store.get(SEEN, []).filter((one) => present.includes(one)));
    const again = made("button", "", { type: "button" });
    const update = () => {
      items.forEach((item) => { item.hidden = seen.has(sentence(item)); });
      again.hidden = !seen.size;
      again.textContent = `Show ${seen.size} seen`;
      store.set(SEEN, [...seen]);
    };
    items.forEach((item) => {
      const words = sentence(item);
      const button = made("button", "Seen", { type: "button", "aria-label": `Seen: ${words}` });
      button.addEventListener("click", () => {
        seen.add(words);
        update();
        announce("It is not shown again in this browser until it changes");
        (items.find((one) => !one.hidden)?.querySelector("button") ?? again).focus();
      });
      item.append(button);
    });
    again.addEventListener("click", () => {
      seen.clear();
      update();
      items[0].querySelector("a").focus();
    });
    alarms.append(again);
    update();
  }
}
