"use strict";
// Text, tagged or not, goes into the page as textContent only: nothing of it is ever read as HTML.

const COLOURS = 8; // of Okabe and Ito, which people of any colour vision tell apart; see page.css
const AT_ONCE = 100; // sentences; more on demand, so that a long text does not block the page
const SURE = 0.7;
const NONE = "0"; // the key that takes a span away; t is the next task, u the next tag or span that is not sure
const KEYS = "123456789abcdefghijklmnopqrsvwxyz";

const $ = (id) => document.getElementById(id);
let models = [];
let model = null;
let shown = null; // { reply, characters, language }: what the result shows, with what was corrected in it
let running = null;
let selected = null; // { sentence, anchor, head }: words from one to the other

function element(name, classes, text) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== undefined) made.textContent = text;
  return made;
}

function options(select, names) {
  select.replaceChildren(...names.map((name) => Object.assign(element("option", "", name), { value: name })));
}

const percent = (p) => (p === undefined ? "✓" : p > 0.995 ? "99+" : String(Math.round(100 * p)));
const task = (name) => model.tasks.find((t) => t.name === name);
const marksSpans = (name) => task(name).kind === "spans";
const colour = (name, type) => "c" + (Math.max(0, task(name).types.indexOf(type)) % COLOURS);
const isUnsure = (probability) => probability < SURE; // what was corrected has none
const said = (name, type, p) => `${name}: ${type}, ${p === undefined ? "corrected" : `probability ${p.toFixed(4)}`}`;

function say(sentence, isError) {
  $("status").textContent = sentence;
  $("status").className = isError ? "error" : "";
}

async function ask(path, options) {
  const response = await fetch(path, options);
  const reply = await response.json().catch(() => ({ error: `the server answered with status ${response.status}` }));
  if (!response.ok) throw new Error(reply.error);
  return reply;
}

function language() {
  return model.languages.find((l) => l.name === $("language").value) || model.languages[0];
}

async function start() {
  try {
    models = await ask("models");
  } catch (error) {
    return say(`No answer from the server: ${error.message}`, true);
  }
  options($("chosen"), models.map((m) => m.model));
  $("chosen-field").hidden = models.length < 2;
  choose();
}

function choose() {
  model = models.find((m) => m.model === $("chosen").value) || models[0];
  $("model").textContent = `${model.model}: ${model.tasks.map((t) => t.name).join(", ")}`;
  options($("language"), model.languages.map((l) => l.name));
  $("language-field").hidden = model.languages.length < 2;
}

async function tag() {
  const text = $("text").value.toWellFormed ? $("text").value.toWellFormed() : $("text").value;
  if (!model || !text.trim()) return say("Type or paste a text first.", true);
  running?.abort();
  const mine = (running = new AbortController());
  const chosen = language();
  const asked = { text, model: model.model, language: chosen.name, tokenised: $("tokenised").checked, confidence: true };
  $("tag").setAttribute("aria-busy", "true");
  try {
    const reply = await ask("tag", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
      signal: mine.signal,
    });
    // Offsets count code points, of which an emoji is one; the strings here count UTF-16 units, of which it is two.
    shown = { reply, characters: Array.from(text), language: chosen };
    selected = null;
    offerTasks();
    draw();
    say(summary(reply));
  } catch (error) {
    if (mine.signal.aborted) return;
    say(`${error.message[0].toUpperCase()}${error.message.slice(1)}.`, true);
  } finally {
    if (running === mine) $("tag").removeAttribute("aria-busy");
  }
}

function summary({ sentences, tasks }) {
  const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
  const words = sentences.reduce((sum, s) => sum + s.words.length, 0);
  const spans = tasks
    .filter((name) => task(name).kind === "spans")
    .map((name) => `${count(sentences.reduce((sum, s) => sum + s.predicted_spans[name].length, 0), "span")} of ${name}`);
  const unsure = `${places(visible()).length.toLocaleString("en")} not sure`;
  return [count(sentences.length, "sentence"), count(words, "word"), ...spans, unsure].join(", ") + ".";
}

function offerTasks() {
  const off = new Set([...$("tasks").querySelectorAll("input:not(:checked)")].map((box) => box.value));
  $("tasks").replaceChildren(element("legend", "", "Show"));
  for (const name of shown.reply.tasks) {
    const label = element("label", "check");
    const box = element("input");
    Object.assign(box, { type: "checkbox", value: name, checked: !off.has(name) });
    box.addEventListener("change", draw);
    label.append(box, name);
    $("tasks").append(label);
  }
  options($("editing"), shown.reply.tasks);
  $("editing").value = shown.reply.tasks.find(marksSpans) || shown.reply.tasks[0];
  $("editing-field").hidden = shown.reply.tasks.length < 2;
  offerTypes();
}

function offerTypes() {
  const name = $("editing").value;
  const buttons = task(name).types.map((type, at) => typeButton(type, KEYS[at] || "", colour(name, type)));
  if (marksSpans(name)) buttons.push(typeButton("", NONE, ""));
  $("types").replaceChildren(...buttons);
}

function typeButton(type, key, classes) {
  const button = element("button", `type ${classes}`, `${type || "none"} `);
  button.type = "button";
  if (key) button.append(element("kbd", "", key));
  button.addEventListener("click", () => correct(type));
  return button;
}

const visible = () => [...$("tasks").querySelectorAll("input:checked")].map((box) => box.value);

function draw() {
  const tasks = visible();
  const spanning = tasks.filter((name) => task(name).kind === "spans");
  // Chunks cover nearly every word, so they stand below; the first other kind of spans is marked in the text.
  const inline = spanning.find((name) => !task(name).types.includes("NP"));
  const rows = tasks.filter((name) => name !== inline);
  $("result").hidden = false;
  $("key").textContent = key(inline, rows);
  $("sentences").replaceChildren();
  $("sentences").lang = shown.language.code === "xx" ? "" : shown.language.code;
  drawMore(0, inline, rows);
}

function key(inline, rows) {
  const parts = [];
  if (inline) parts.push(`Marked in the text: ${inline}.`);
  if (rows.length) parts.push(`Below each word: ${rows.join(", then ")}.`);
  if (parts.length) parts.push("Numbers are probabilities in percent; ? is not sure, ✓ corrected.");
  return parts.join(" ");
}

function drawMore(from, inline, rows) {
  const { sentences } = shown.reply;
  const to = Math.min(from + AT_ONCE, sentences.length);
  $("sentences").append(...sentences.slice(from, to).map((_, at) => drawn(from + at, inline, rows)));
  $("more").hidden = to === sentences.length;
  $("more").textContent = `Show more (${(sentences.length - to).toLocaleString("en")} sentences left)`;
  $("more").onclick = () => drawMore(to, inline, rows);
}

function drawn(number, inline, rows) {
  const sentence = shown.reply.sentences[number];
  const item = element("li", "sentence");
  item.dir = "auto";
  const words = sentence.words.map((word, at) => drawnWord(sentence, word, at, rows));
  words.forEach((column, at) => prepare(column, number, at));
  const entities = inline ? sentence.predicted_spans[inline] : [];
  let at = 0;
  for (const span of entities) {
    item.append(...words.slice(at, span.start), entity(inline, span, words.slice(span.start, span.end)));
    at = span.end;
  }
  item.append(...words.slice(at));
  if (!words.length) item.append(element("span", "empty", "no words"));
  return item;
}

// A word can be clicked, and reached by keys: one word of the page by Tab, the others from it.
function prepare(column, number, at) {
  const is = (s) => s && s.sentence === number && Math.min(s.anchor, s.head) <= at && at <= Math.max(s.anchor, s.head);
  Object.assign(column.dataset, { sentence: number, at });
  const first = selected ? selected.sentence === number && selected.head === at : number + at === 0;
  column.tabIndex = first ? 0 : -1;
  column.setAttribute("role", "button");
  column.setAttribute("aria-pressed", String(Boolean(is(selected))));
}

function drawnWord(sentence, word, at, rows) {
  const column = element("span", isFollowedByBlank(sentence, at) ? "word blank" : "word");
  column.append(element("span", "form", word));
  for (const name of rows) column.append(marksSpans(name) ? partOf(sentence, name, at) : tagOf(sentence, name, at));
  return column;
}

function isFollowedByBlank({ offsets }, at) {
  if (!offsets || at + 1 >= offsets.length) return true;
  return shown.characters.slice(offsets[at][1], offsets[at + 1][0]).some((c) => c.trim() === "");
}

function tagOf(sentence, name, at) {
  const [type, probability] = [sentence.tags[name][at], sentence.confidence[name][at]];
  return labelled(element("span", `tag ${colour(name, type)}`), name, type, probability);
}

function partOf(sentence, name, at) {
  const span = sentence.predicted_spans[name].find((s) => s.start <= at && at < s.end);
  if (!span) return element("span", "part");
  const made = element("span", `part of ${colour(name, span.type)}`);
  made.classList.toggle("first", at === span.start);
  made.classList.toggle("last", at + 1 === span.end);
  if (at === span.start) return labelled(made, name, span.type, span.probability);
  made.title = said(name, span.type, span.probability);
  made.classList.toggle("unsure", isUnsure(span.probability));
  return made;
}

function entity(name, span, words) {
  const made = element("mark", `entity ${colour(name, span.type)}`);
  made.title = said(name, span.type, span.probability);
  made.classList.toggle("close", !words.at(-1).classList.contains("blank"));
  made.classList.toggle("unsure", isUnsure(span.probability));
  made.append(...words, labelled(element("span", "label"), name, span.type, span.probability));
  return made;
}

function labelled(made, name, type, probability) {
  made.title = said(name, type, probability);
  made.classList.toggle("unsure", isUnsure(probability));
  made.append(`${type} `, element("small", "", `${percent(probability)}${isUnsure(probability) ? "?" : ""}`));
  return made;
}

// Where the model is not sure of what it says in some tasks: [sentence, word], in the order of the text.
function places(tasks) {
  const found = shown.reply.sentences.map((sentence, number) => {
    const spans = tasks.filter(marksSpans).flatMap((name) => sentence.predicted_spans[name]);
    const tags = tasks.filter((name) => !marksSpans(name)).flatMap((name) => sentence.confidence[name].map((probability, start) => ({ probability, start })));
    const starts = [...spans, ...tags].filter((one) => isUnsure(one.probability)).map((one) => one.start);
    return [...new Set(starts)].sort((a, b) => a - b).map((at) => [number, at]);
  });
  return found.flat();
}

function select(sentence, head, anchor = head) {
  const last = shown.reply.sentences[sentence].words.length - 1;
  if (last < 0) return;
  const within = (at) => Math.max(0, Math.min(at, last));
  selected = { sentence, head: within(head), anchor: within(anchor) };
  while (!wordAt(sentence, selected.head) && !$("more").hidden) $("more").click();
  for (const column of $("sentences").querySelectorAll(".word")) prepare(column, Number(column.dataset.sentence), Number(column.dataset.at));
  wordAt(sentence, selected.head).focus();
}

const wordAt = (sentence, at) => $("sentences").querySelector(`[data-sentence="${sentence}"][data-at="${at}"]`);

// The selected words become a span of a type, or none; or each of them gets a tag.
function correct(type) {
  if (!selected) return say("Choose a word first: click it, or go to it with Tab and the arrow keys.", true);
  const [name, sentence] = [$("editing").value, shown.reply.sentences[selected.sentence]];
  const [start, end] = [Math.min(selected.anchor, selected.head), Math.max(selected.anchor, selected.head) + 1];
  if (marksSpans(name)) {
    const spans = sentence.predicted_spans[name].filter((span) => span.end <= start || end <= span.start);
    if (type) spans.push({ type, start, end });
    sentence.predicted_spans[name] = spans.sort((a, b) => a.start - b.start);
  } else {
    sentence.tags[name].fill(type, start, end);
    sentence.confidence[name].fill(undefined, start, end);
  }
  redraw();
  say(`${sentence.words.slice(start, end).join(" ")}: ${type || "none"} of ${name}.`);
}

function redraw() {
  const { sentence, head, anchor } = selected;
  const count = $("sentences").children.length;
  draw();
  while ($("sentences").children.length < count) $("more").click();
  select(sentence, head, anchor);
}

function nextUnsure() {
  const all = places(visible());
  if (!all.length) return say("The model is sure of all that is shown.");
  const at = selected || { sentence: -1, head: 0 };
  const [sentence, word] = all.find(([s, w]) => s > at.sentence || (s === at.sentence && w > at.head)) || all[0];
  select(sentence, word);
}

function nextTask() {
  $("editing").selectedIndex = ($("editing").selectedIndex + 1) % $("editing").length;
  offerTypes();
  say(`Corrections are of ${$("editing").value}.`);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const column = event.target.closest(".word");
  if (!column) return;
  const [sentence, at] = [Number(column.dataset.sentence), Number(column.dataset.at)];
  const anchor = event.shiftKey && selected ? selected.anchor : undefined;
  const type = task($("editing").value).types[KEYS.indexOf(event.key)];
  const last = shown.reply.sentences.length - 1;
  const does = {
    ArrowRight: () => select(sentence, at + 1, anchor === undefined ? at + 1 : anchor),
    ArrowLeft: () => select(sentence, at - 1, anchor === undefined ? at - 1 : anchor),
    ArrowDown: () => select(Math.min(sentence + 1, last), 0),
    ArrowUp: () => select(Math.max(sentence - 1, 0), 0),
    Enter: () => select(sentence, at),
    " ": () => select(sentence, at),
    u: nextUnsure,
    t: nextTask,
  };
  if (marksSpans($("editing").value)) for (const key of [NONE, "Delete", "Backspace"]) does[key] = () => correct("");
  const action = type === undefined ? does[event.key] : () => correct(type);
  if (!action) return;
  event.preventDefault();
  if (!selected) selected = { sentence, head: at, anchor: at };
  action();
}

// The tags of a task as training reads them: what a model's own scheme says cannot be kept once a span is corrected.
function tagsOf(sentence, name) {
  if (!marksSpans(name)) return sentence.tags[name];
  const tags = sentence.words.map(() => "O");
  for (const { type, start, end } of sentence.predicted_spans[name]) tags.fill(`I-${type}`, start, end)[start] = `B-${type}`;
  return tags;
}

function conll() {
  const tasks = visible();
  return shown.reply.sentences
    .map((sentence) => {
      const columns = [sentence.words, ...tasks.map((name) => tagsOf(sentence, name))];
      return sentence.words.map((_, at) => columns.map((column) => column[at]).join("\t") + "\n").join("") + "\n";
    })
    .join("");
}

function jsonl() {
  const line = (s) => ({ words: s.words, tags: Object.fromEntries(visible().map((name) => [name, tagsOf(s, name)])) });
  return shown.reply.sentences.filter((s) => s.words.length).map((s) => JSON.stringify(line(s)) + "\n").join("");
}

function save(text, name) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
  say(`Saved as ${name}.`);
}

async function copy(text, what) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyByHand(text);
    say(`Copied as ${what}.`);
  } catch {
    say(`The browser does not let this page copy.`, true);
  }
}

// Browsers offer navigator.clipboard to https and this machine only, and the server may stand elsewhere in a network.
function copyByHand(text) {
  const focused = document.activeElement;
  const area = element("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  if (!done) throw new Error("refused");
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  tag();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  tag();
});
$("chosen").addEventListener("change", () => {
  choose();
  if (shown) tag();
});
$("language").addEventListener("change", () => shown && tag());
$("tokenised").addEventListener("change", () => shown && tag());
$("example").addEventListener("click", () => {
  if (!model) return;
  $("text").value = language().example;
  $("tokenised").checked = true;
  tag();
});
$("editing").addEventListener("change", offerTypes);
$("sentences").addEventListener("keydown", press);
$("sentences").addEventListener("click", (event) => {
  const column = event.target.closest(".word");
  if (!column) return;
  const [sentence, at] = [Number(column.dataset.sentence), Number(column.dataset.at)];
  const extends_ = event.shiftKey && selected && selected.sentence === sentence;
  select(sentence, at, extends_ ? selected.anchor : at);
});
$("copy-conll").addEventListener("click", () => copy(conll(), "CoNLL"));
$("copy-jsonl").addEventListener("click", () => copy(jsonl(), "JSONL"));
$("save").addEventListener("click", () => save(jsonl(), "corrected.jsonl"));
start();
