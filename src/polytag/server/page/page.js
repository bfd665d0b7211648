"use strict";
// Text, tagged or not, goes into the page as textContent only: nothing of it is ever read as HTML.

const HUES = 12;
const AT_ONCE = 100; // sentences; more on demand, so that a long text does not block the page
const SURE = 0.7;
const EXAMPLES = {
  en: "Angela Merkel visited Lima on Monday. The ministry in Nairobi bought ships from Siemens for the World Cup in Brazil.",
  es: "Gabriel García Márquez nació en Colombia. La empresa portuguesa abrirá una oficina en Bolivia con ayuda de Telefónica.",
  nl: "Johan Cruijff won met Ajax de Europa Cup in Wenen. De Spaanse minister sprak in Rotterdam met Interpol.",
  de: "Angela Merkel besuchte am Montag Lima. Das Ministerium in Berlin kaufte Schiffe von Siemens.",
  fr: "Marie Curie est née à Varsovie. Le ministre espagnol a parlé à Paris avec Interpol.",
};
const CODES = { english: "en", spanish: "es", dutch: "nl", german: "de", french: "fr" };

const $ = (id) => document.getElementById(id);
let model = null;
let shown = null; // { reply, text, characters, language }: what the result shows
let running = null;

function element(name, classes, text) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== undefined) made.textContent = text;
  return made;
}

const percent = (p) => (p === undefined ? "" : p > 0.995 ? "99+" : String(Math.round(100 * p)));
const task = (name) => model.tasks.find((t) => t.name === name);
const hue = (name, type) => "h" + (Math.max(0, task(name).types.indexOf(type)) % HUES);

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

function code(of) {
  return of.code !== "xx" ? of.code : CODES[of.name.toLowerCase()] || "en";
}

async function start() {
  try {
    model = await ask("model");
  } catch (error) {
    return say(`No answer from the server: ${error.message}`, true);
  }
  const many = model.languages.length > 1;
  $("model").textContent = `${model.model}: ${model.tasks.map((t) => t.name).join(", ")}`;
  for (const { name } of model.languages) {
    const option = element("option", "", name);
    option.value = name;
    $("language").append(option);
  }
  $("language-field").hidden = !many;
}

async function tag() {
  const text = $("text").value.toWellFormed ? $("text").value.toWellFormed() : $("text").value;
  if (!model || !text.trim()) return say("Type or paste a text first.", true);
  running?.abort();
  const mine = (running = new AbortController());
  const chosen = language();
  $("tag").setAttribute("aria-busy", "true");
  try {
    const reply = await ask("tag", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text, language: chosen.name, tokenised: $("tokenised").checked, confidence: true }),
      signal: mine.signal,
    });
    // Offsets count code points, of which an emoji is one; the strings here count UTF-16 units, of which it is two.
    shown = { reply, characters: Array.from(text), language: chosen };
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
  return [count(sentences.length, "sentence"), count(words, "word"), ...spans].join(", ") + ".";
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
  $("sentences").lang = code(shown.language);
  drawMore(0, inline, rows);
}

function key(inline, rows) {
  const parts = [];
  if (inline) parts.push(`Marked in the text: ${inline}.`);
  if (rows.length) parts.push(`Below each word: ${rows.join(", then ")}.`);
  if (parts.length) parts.push("Numbers are probabilities in percent.");
  return parts.join(" ");
}

function drawMore(from, inline, rows) {
  const { sentences } = shown.reply;
  const to = Math.min(from + AT_ONCE, sentences.length);
  $("sentences").append(...sentences.slice(from, to).map((sentence) => drawn(sentence, inline, rows)));
  $("more").hidden = to === sentences.length;
  $("more").textContent = `Show more (${(sentences.length - to).toLocaleString("en")} sentences left)`;
  $("more").onclick = () => drawMore(to, inline, rows);
}

function drawn(sentence, inline, rows) {
  const item = element("li", "sentence");
  item.dir = "auto";
  const words = sentence.words.map((word, at) => drawnWord(sentence, word, at, rows));
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

function drawnWord(sentence, word, at, rows) {
  const column = element("span", isFollowedByBlank(sentence, at) ? "word blank" : "word");
  column.append(element("span", "form", word));
  for (const name of rows) column.append(task(name).kind === "tags" ? tagOf(sentence, name, at) : partOf(sentence, name, at));
  return column;
}

function isFollowedByBlank({ offsets }, at) {
  if (!offsets || at + 1 >= offsets.length) return true;
  return shown.characters.slice(offsets[at][1], offsets[at + 1][0]).some((c) => c.trim() === "");
}

function tagOf(sentence, name, at) {
  const probability = sentence.confidence[name][at];
  const made = element("span", probability < SURE ? "tag unsure" : "tag", `${sentence.tags[name][at]} `);
  made.title = `${name}: ${sentence.tags[name][at]}, probability ${probability.toFixed(4)}`;
  made.append(element("small", "", percent(probability)));
  return made;
}

function partOf(sentence, name, at) {
  const span = sentence.predicted_spans[name].find((s) => s.start <= at && at < s.end);
  if (!span) return element("span", "part");
  const made = element("span", `part of ${hue(name, span.type)}`);
  made.title = `${name}: ${span.type}, probability ${span.probability.toFixed(4)}`;
  made.classList.toggle("first", at === span.start);
  made.classList.toggle("last", at + 1 === span.end);
  made.classList.toggle("unsure", span.probability < SURE);
  if (at === span.start) made.append(`${span.type} `, element("small", "", percent(span.probability)));
  return made;
}

function entity(name, span, words) {
  const made = element("mark", `entity ${hue(name, span.type)}`);
  made.title = `${name}: ${span.type}, probability ${span.probability.toFixed(4)}`;
  made.classList.toggle("close", !words.at(-1).classList.contains("blank"));
  const label = element("span", span.probability < SURE ? "label unsure" : "label", `${span.type} `);
  label.append(element("small", "", percent(span.probability)));
  made.append(...words, label);
  return made;
}

function conll() {
  const tasks = visible();
  const line = (s, word, at) => [word, ...tasks.map((name) => s.tags[name][at])].join("\t");
  return shown.reply.sentences.map((s) => s.words.map((w, at) => line(s, w, at) + "\n").join("") + "\n").join("");
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
$("language").addEventListener("change", () => shown && tag());
$("tokenised").addEventListener("change", () => shown && tag());
$("example").addEventListener("click", () => {
  if (!model) return;
  $("text").value = EXAMPLES[code(language())] || EXAMPLES.en;
  $("tokenised").checked = false;
  tag();
});
$("copy-conll").addEventListener("click", () => copy(conll(), "CoNLL"));
$("copy-json").addEventListener("click", () => copy(JSON.stringify(shown.reply, null, 1), "JSON"));
start();
