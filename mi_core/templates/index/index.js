// Shows the reports that hold every word of the search; a match in a date opens the history.
const form = document.querySelector("form[role=search]");
const told = (text) => text.toLowerCase().replace(/\s+/g, " ");

function search() {
  const wanted = told(form.elements.search.value).split(" ").filter(Boolean);
  let found = 0;
  for (const article of document.querySelectorAll("article")) {
    const holds = (node) => wanted.every((word) => told(node.textContent).includes(word));
    article.hidden = !holds(article);
    found += !article.hidden;
    const history = article.querySelector("details");
    for (const item of article.querySelectorAll(".history li")) item.hidden = false;
    if (!history) continue;
    const dates = [...history.querySelectorAll("li")].filter(holds);
    history.open = wanted.length > 0 && dates.length > 0;
    if (history.open) for (const item of history.querySelectorAll("li")) item.hidden = !dates.includes(item);
  }
  for (const group of document.querySelectorAll(".group")) {
    group.hidden = !group.querySelector("article:not([hidden])");
  }
  const reports = found === 1 ? "1 report" : `${found} reports`;
  form.querySelector("[role=status]").textContent = wanted.length ? reports : "";
}

if (form) {
  form.hidden = false;
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
}
