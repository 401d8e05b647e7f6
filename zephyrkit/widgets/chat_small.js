// Small things: elements, keys, numbers, files.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children); // strings become text nodes, never markup
  return element;
}

function button(label, onClick, attributes = {}) {
  const element = make("button", { type: "button", class: "zk-button", ...attributes }, label);
  element.addEventListener("click", onClick);
  return element;
}

function speaker(name, ...tools) {
  return make("div", { class: "zk-speaker" }, make("span", { class: "zk-who" }, name), ...tools);
}

// Enter alone sends. While an input method composes (Japanese, Chinese, Korean …), Enter belongs to it;
// some browsers say so only by the key code 229.
function isPlainEnter(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

function fitToText(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function flash(element, text) {
  const before = element.textContent;
  element.textContent = text;
  setTimeout(() => { element.textContent = before; }, 1200);
}

function grouped(number) {
  return number.toLocaleString("en");
}

// randomUUID is only there on https and localhost; a classroom's server may be neither.
function newId() {
  return crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
}

async function writeClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function saveFile({ name, media_type: type, text }) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// An element keeps its text node, and a screen reader its place, while the text stays the same.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
