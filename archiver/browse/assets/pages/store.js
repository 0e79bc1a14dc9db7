// What this browser remembers, and nobody else: where it may not, everything else still works.
const store = {
  get(name, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(`archiver:${name}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`archiver:${name}`, JSON.stringify(value));
    } catch { /* it is forgotten */ }
  },
};
const archive = document.getElementById("main")?.dataset.archive ?? "";
const announce = (words) => {
  const place = document.getElementById("announcement");
  if (place) place.textContent = words;
};
const made = (tag, words, attributes = {}) => {
  const element = document.createElement(tag);
  element.textContent = words;
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  return element;
};
