// Draws each chart into its figure, as wide as the page. The caption holds the title and the label
// of .plot what the chart says, so that its marks need not be read out one by one.
for (const plot of document.querySelectorAll("figure > .plot")) {
  const { title, ...spec } = JSON.parse(plot.nextElementSibling.textContent);
  const fitted = { ...spec, width: "container", autosize: { type: "fit-x", contains: "padding" } };
  vegaEmbed(plot, fitted, { renderer: "svg", actions: false }).then(() =>
    plot.querySelector("svg").setAttribute("aria-hidden", "true"),
  );
}
