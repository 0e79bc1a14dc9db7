"use strict";
// The search of a site. Pieces of the index are scripts, since a page that was opened from a disk may load nothing else.
const archiverSearch = (() => {
  const AT_ONCE = 30;
  const waiting = new Map(), words = new Map(), posts = new Map();
  let about = null, hits = [], shown = 0;

  const load = (name, has) => has() ? Promise.resolve() : new Promise((done, failed) => {
    waiting.set(name, done);
    const script = document.createElement("script");
    script.src = `search/${name}.js`;
    script.onerror = () => failed(new Error(`search/${name}.js is missing`));
    document.head.append(script);
  });
  const arrived = (name) => { waiting.get(name)?.(); waiting.delete(name); };
  const hex = (key) => Array.from(key, (one) => one.codePointAt(0).toString(16)).join("-");

  // as the program folds texts: no accents, no width, no case
  const fold = (text) => text.normalize("NFKC").toLowerCase().normalize("NFKD")
    .replace(/[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]/g, "")
    .replace(/[ßςøłđħŧıæœ]/g, (one) => ({ "ß": "ss", "ς": "σ", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe" })[one])
    .normalize("NFC");
  const unspaced = /([\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]+)/u;
  const wordsOf = (text) => (fold(text).match(/[\p{L}\p{N}_]+/gu) || []).flatMap((word) =>
    word.split(unspaced).flatMap((part, number) => {
      if (number % 2 === 0) return part ? [Array.from(part).slice(0, 40).join("")] : [];
      const letters = Array.from(part);
      return letters.length === 1 ? letters : letters.slice(0, -1).map((one, at) => one + letters[at + 1]);
    }));

  // the pieces that may have words with this beginning
  const keysOf = (word) => {
    const letters = Array.from(word), two = letters.slice(0, 2).join("");
    return about.keys.filter((key) => letters.length > 1 ? (key === letters[0] || key === two) : key.startsWith(letters[0]));
  };

  const postsWith = async (word) => {
    const found = new Set();
    for (const key of keysOf(word)) {
      await load(`words-${hex(key)}`, () => words.has(key));
      for (const [each, gaps] of Object.entries(words.get(key))) {
        if (!each.startsWith(word)) continue;
        let post = 0;
        for (const gap of gaps) { post += gap; found.add(post); }
      }
    }
    return found;
  };

  const search = async (text) => {
    const asked = wordsOf(text);
    if (!asked.length) return null;
    let found = null;
    for (const word of asked) {
      const having = await postsWith(word);
      found = found === null ? having : new Set([...found].filter((post) => having.has(post)));
    }
    return [...found].sort((a, b) => b - a);
  };

  const postOf = async (number) => {
    const piece = Math.floor(number / about.piece);
    await load(`posts-${piece}`, () => posts.has(piece));
    return posts.get(piece)[number % about.piece];
  };

  const element = (id) => document.getElementById(id);
  const line = (name, text) => { const made = document.createElement("span"); made.className = name; made.dir = "auto"; made.textContent = text; return made; };

  const showMore = async () => {
    const account = element("account").value, names = element("account").options;
    for (let added = 0; added < AT_ONCE && shown < hits.length; shown += 1) {
      const [page, id, of, day, platform, said] = await postOf(hits[shown]);
      if (account && String(of) !== account) continue;
      const link = document.createElement("a");
      link.href = `posts/${encodeURIComponent(page)}.html#post-${Number(id)}`;
      const from = line("from", "");
      const name = Array.from(names).find((one) => one.value === String(of));
      from.append(line("", name ? name.text : ""), line("", platform), line("", day));
      link.append(from, line("said", said || "Without a text"));
      const item = document.createElement("li");
      item.append(link);
      element("results").append(item);
      added += 1;
    }
    element("more").hidden = shown >= hits.length;
    const count = element("results").children.length;
    element("outcome").textContent = count ? (shown < hits.length ? `The first ${count}, newest first` : `${count === 1 ? "1 post" : `${count} posts`}, newest first`) : "No post has all these words.";
  };

  const begin = async () => {
    const asked = new URLSearchParams(location.search);
    element("words").value = asked.get("q") || "";
    element("account").value = asked.get("account") || "";
    if (!element("words").value) { element("words").focus(); return; }
    element("outcome").textContent = "Searching…";
    try {
      const found = await search(element("words").value);
      hits = found || [];
      await showMore();
      if (found === null) element("outcome").textContent = "Type a word.";
    } catch (error) {
      element("outcome").textContent = `The search failed: ${error.message}`;
    }
  };

  document.addEventListener("DOMContentLoaded", () => element("more").addEventListener("click", showMore));
  return {
    index(value) { about = value; begin(); },
    words(key, value) { words.set(key, value); arrived(`words-${hex(key)}`); },
    posts(piece, value) { posts.set(piece, value); arrived(`posts-${piece}`); },
  };
})();
