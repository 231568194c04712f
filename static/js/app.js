// The keyboard, the drawer, toasts and dialogs, all by event delegation. Every action here is also a visible control.
"use strict";

const drawer = () => document.getElementById("drawer");
const rows = () => [...document.querySelectorAll("tr.open")].filter((row) => row.offsetParent !== null);
const linkOf = (row) => row?.querySelector("a[data-open]");
let opener = null; // id of the row link that opened the drawer, where the focus goes back to
let listUrl = null; // what the address bar showed before the drawer's own URL
let goPressed = -Infinity; // when, in ms since the page opened

const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
const narrow = () => window.matchMedia("(max-width: 900px)").matches;

function currentRow() {
  return document.activeElement?.closest("tr.open") ?? (opener && document.getElementById(opener)?.closest("tr.open"));
}

function move(step) {
  const all = rows();
  const at = all.indexOf(currentRow());
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  const link = linkOf(next);
  if (!link) return;
  link.focus();
  next.scrollIntoView({ block: "nearest" });
  if (drawer().childElementCount) link.click();
}

function closeDrawer() {
  if (!drawer().childElementCount) return false;
  drawer().replaceChildren();
  if (listUrl) history.replaceState({ htmx: true }, "", listUrl);
  listUrl = null;
  for (const row of rows()) row.classList.remove("current");
  if (opener) document.getElementById(opener)?.focus();
  return true;
}

function toast(text, level) {
  const line = document.createElement("p");
  line.className = `toast ${level || ""}`;
  line.textContent = text;
  document.getElementById("toasts").append(line);
  if (level !== "error") setTimeout(() => line.remove(), 6000);
}

// A screen's own key ("a" assign, "n" note, "r" replay, "1" the first offer) presses or focuses the control that carries it.
function pressShortcut(key) {
  const scope = drawer().childElementCount ? drawer() : document.getElementById("main");
  const control = scope?.querySelector(`[data-key="${key}"]`);
  if (!control) return false;
  const fold = control.closest("details:not([open])");
  if (fold) fold.open = true;
  if (control.matches("button, a")) control.click();
  else control.focus();
  return true;
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => currentRow()?.querySelector("input[type=checkbox]")?.click(),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (typing(event.target)) event.target.blur();
    else if (!document.querySelector(":popover-open")) closeDrawer();
    return;
  }
  if (typing(event.target)) return;
  if (event.key === "g") {
    goPressed = event.timeStamp;
    return;
  }
  if (event.timeStamp - goPressed < 1500) {
    goPressed = -Infinity;
    const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (place) place.click();
    return;
  }
  // A screen's own key goes first: on Link review "j" is the next record, elsewhere the next row.
  if (/^[a-z1-9]$/.test(event.key) && pressShortcut(event.key)) event.preventDefault();
  else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

document.addEventListener("click", (event) => {
  const target = event.target;
  if (target.closest("[data-close-drawer]")) {
    event.preventDefault();
    closeDrawer();
    return;
  }
  const dialog = target.closest("[data-dialog]");
  if (dialog) document.getElementById(dialog.dataset.dialog)?.showModal();
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  // The whole row opens, except where it holds a control of its own or text is being selected.
  const row = target.closest("tr.open");
  if (row && !target.closest("a, button, input, label, summary") && !String(getSelection())) linkOf(row)?.click();
});

document.addEventListener("change", (event) => {
  const all = event.target.closest("input[data-choose-all]");
  if (!all) return;
  for (const box of all.closest("form").querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
});

// On a small screen the drawer is a page.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (target?.id !== "drawer" || !elt.matches("a[data-open]")) return;
  if (narrow()) {
    event.preventDefault();
    location.assign(elt.href);
    return;
  }
  if (!drawer().childElementCount) listUrl = location.href;
  opener = elt.id;
  for (const row of rows()) row.classList.toggle("current", row.contains(elt));
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  if (xhr.status === 422) event.detail.shouldSwap = true; // a form with its errors
  else if (xhr.status >= 400) toast(`That did not work (${xhr.status}). Nothing was changed.`, "error");
  if (target?.contains(document.querySelector("details.menu[open]")))
    target.dataset.reopen = document.querySelector("details.menu[open]").dataset.keep;
});

document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Nothing was changed.", "error"));

document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target;
  if (target.id === "drawer" && target.childElementCount) {
    target.scrollTop = 0;
    target.querySelector("[data-focus]")?.focus();
  }
  const said = target.querySelector?.("[data-announce]") ?? document.querySelector(`#${target.id} [data-announce]`);
  if (said) document.getElementById("announce").textContent = said.textContent;
});

document.addEventListener("toast", (event) => {
  for (const { text, level } of event.detail.toasts) toast(text, level);
});
