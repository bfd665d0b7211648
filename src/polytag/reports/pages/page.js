"use strict";
// Each .browser holds a form of filters and a list of cards. Only classes, attributes and textContent are touched.
const AT_ONCE = 40;

const many = (number, name) => `${number} ${name}${number === 1 ? "" : "s"}`;

function setUp(browser) {
  const form = browser.querySelector("form");
  const list = browser.querySelector(".cards");
  const cards = Array.from(list.children);
  const texts = new Map(cards.map((card) => [card, card.textContent.toLowerCase()]));
  const count = browser.querySelector(".count");
  const more = browser.querySelector(".more");
  let limit = AT_ONCE;

  function fits(entry, wanted) {
    return Object.entries(wanted).every(([name, value]) => !value || entry.dataset[name] === value);
  }

  function update() {
    const wanted = {};
    form.querySelectorAll("select[data-filter]").forEach((one) => { wanted[one.dataset.filter] = one.value; });
    const text = form.elements.text.value.trim().toLowerCase();
    let found = 0;
    let entries = 0;
    for (const card of Array.from(list.children)) {
      let kept = 0;
      card.querySelectorAll("[data-kind]").forEach((entry) => {
        const fit = fits(entry, wanted);
        entry.hidden = !fit;
        kept += fit ? 1 : 0;
      });
      const fit = kept > 0 && texts.get(card).includes(text);
      found += fit ? 1 : 0;
      entries += fit ? kept : 0;
      card.hidden = !fit || found > limit;
    }
    const shown = Math.min(found, limit);
    count.textContent = `${many(entries, browser.dataset.unit)} in ${many(found, "sentence")}, ${shown} shown`;
    more.hidden = found <= limit;
  }

  function sort() {
    const by = form.elements.sort.value;
    const value = (card) => Number(card.dataset[by]);
    const sign = by === "sure" ? -1 : 1;
    cards.sort((a, b) => sign * (value(a) - value(b)) || Number(a.dataset.number) - Number(b.dataset.number));
    list.append(...cards);
  }

  const anew = () => { limit = AT_ONCE; update(); };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => { if (event.target.name === "sort") sort(); anew(); });
  form.addEventListener("reset", () => setTimeout(() => { sort(); anew(); }));
  more.addEventListener("click", () => {
    const before = limit;
    limit += AT_ONCE;
    update();
    const next = Array.from(list.children).filter((card) => !card.hidden)[before];
    if (next) next.focus();
  });
  form.hidden = false;
  if (form.elements.sort) sort();
  update();
}

document.querySelectorAll(".browser").forEach(setUp);
