
"use strict";
document.documentElement.classList.add("scripted");

// Marks of a figure: what a mark stands for is shown beside it, without a jump of the page.
function choose(anchor) {
  const pick = document.getElementById(anchor);
  if (!pick || !pick.classList.contains("pick")) return false;
  const figure = pick.closest("figure");
  for (const other of figure.querySelectorAll(".pick.chosen")) other.classList.remove("chosen");
  for (const link of figure.querySelectorAll("svg a")) {
    const isChosen = link.getAttribute("href") === "#" + anchor;
    if (isChosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  pick.classList.add("chosen");
  return true;
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("svg a");
  if (link && choose(link.getAttribute("href").slice(1))) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const link = event.target.closest("svg a");
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!link || !step) return;
  const links = [...link.closest("svg").querySelectorAll("a")];
  const next = links[links.indexOf(link) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  choose(next.getAttribute("href").slice(1));
});

// Tables: sorted by the number of a cell, or else by its text; rows without a number are last.
function key(row, column) {
  const cell = row.cells[column];
  return cell.dataset.order === undefined ? cell.textContent.trim() : Number(cell.dataset.order);
}
function compare(first, second) {
  const numbers = typeof first === "number" && typeof second === "number";
  return numbers ? first - second : String(first).localeCompare(String(second), "en", { numeric: true });
}
function sort(table, column, button) {
  const head = button.closest("th");
  const falling = head.getAttribute("aria-sort") !== "descending";
  const rows = [...table.tBodies[0].rows].map((row) => [key(row, column), row]);
  const hasNumbers = rows.some(([value]) => typeof value === "number");
  rows.sort(([first], [second]) => {
    if (hasNumbers && typeof first !== typeof second) return typeof first === "number" ? -1 : 1;
    return (falling ? -1 : 1) * compare(first, second);
  });
  for (const [, row] of rows) table.tBodies[0].append(row);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
}
for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent.trim();
    button.addEventListener("click", () => sort(table, column, button));
    head.replaceChildren(button);
  });
  if (table.tBodies[0].rows.length > 12) {
    filter(table);
    fold(table);
  }
}

// A filter by the text of the first column, for tables that are too long to look through.
function filter(table) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  label.className = "filter";
  label.textContent = "Show only names with";
  input.type = "search";
  input.addEventListener("input", () => {
    unfold(table);
    const wanted = input.value.toLowerCase();
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    }
  });
  label.append(input);
  table.closest(".scroll").before(label);
}

// Long tables begin folded; a filter and a link into one unfold it.
function fold(table) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "unfold";
  button.textContent = `Show all ${table.tBodies[0].rows.length} rows`;
  button.addEventListener("click", () => unfold(table));
  table.closest(".scroll").after(button);
  table.classList.add("folded");
}
function unfold(table) {
  if (!table.classList.replace("folded", "unfolded")) return;
  table.closest(".scroll").nextElementSibling.remove();
}
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.matches("tr")) {
    unfold(target.closest("table"));
    target.hidden = false;
    target.scrollIntoView({ block: "center" });
  }
  choose(target.id);
}
addEventListener("hashchange", reveal);
reveal();
