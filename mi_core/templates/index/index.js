// Shows the reports that hold every word of the search; a match in a date opens the history.
const form = document.querySelector("form[role=search]");
const told = (text) => text.toLowerCase().replace(/\s+/g, " ");

function show(article, words) {
  const all = told(article.textContent);
  article.hidden = !words.every((word) => all.includes(word));
  const history = article.querySelector("details.editions");
  if (!history) return;
  const elsewhere = told([...article.children].filter((each) => each !== history).map((each) => each.textContent).join(" "));
  const ofDates = words.filter((word) => !elsewhere.includes(word));
  for (const edition of history.querySelectorAll("li")) {
    edition.hidden = !ofDates.every((word) => told(edition.textContent).includes(word));
  }
  history.open = ofDates.length > 0 && history.querySelector("li:not([hidden])") !== null;
}

function search() {
  const words = told(form.elements.search.value).split(" ").filter(Boolean);
  const articles = [...document.querySelectorAll("article")];
  for (const article of articles) show(article, words);
  for (const group of document.querySelectorAll(".group")) {
    group.hidden = group.querySelector("article:not([hidden])") === null;
  }
  const found = articles.filter((each) => !each.hidden).length;
  const said = found === 0 ? "No report has all of these words." : found === 1 ? "1 report" : `${found} reports`;
  form.querySelector("[role=status]").textContent = words.length ? said : "";
}

if (form) {
  form.hidden = false;
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
}
