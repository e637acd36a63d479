// Makes a page of the book ready for paper; returns its headings.
(online) => {
  const article = document.querySelector(".bd-article");
  const title = article.querySelector("h1");

  function make(tag, text, parent) {
    const made = document.createElement(tag);
    made.textContent = text;
    parent.append(made);
    return made;
  }

  function words(heading) {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll(".headerlink").forEach((link) => link.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  }

  // Answers come last, so that the eye does not fall on them.
  function gather(name, selector, heading) {
    const found = [...article.querySelectorAll(selector)];
    if (!found.length) return;
    const section = make("section", "", article);
    section.id = "paper-" + name.toLowerCase();
    make("h2", name, section);
    for (const answer of found) {
      make("h3", words(heading(answer)), section);
      section.append(answer);
    }
    section.querySelectorAll("details").forEach((fold) => (fold.open = true));
  }

  // Smaller type for what is wider than the paper.
  function fit(wide) {
    const width = wide.getBoundingClientRect().width;
    const room = wide.parentElement.getBoundingClientRect().width;
    const inner = Math.max(width, wide.scrollWidth);
    if (inner > room + 1) wide.style.zoom = (room / inner) * 0.99;
  }

  // No line begins with the comma after a formula.
  function keepWithFormula(formula) {
    const next = formula.nextSibling;
    if (next?.nodeType !== Node.TEXT_NODE) return;
    const length = next.data.match(/^[.,;:?!)]*/)[0].length;
    if (!length) return;
    next.splitText(length);
    const whole = document.createElement("span");
    whole.style.whiteSpace = "nowrap";
    formula.before(whole);
    whole.append(formula, next);
  }

  // A cell of numbers keeps its line.
  function keepNumbers(cell) {
    if (/^[\d.e+\-\s/]+$/.test(cell.textContent))
      cell.style.whiteSpace = "nowrap";
  }

  // The browser stores the place of an element only if a link leads there.
  function keepPlaces() {
    for (const place of article.querySelectorAll("[id]")) {
      const link = make("a", "", article);
      link.hidden = true;
      link.href = "#" + encodeURIComponent(place.id);
    }
  }

  gather("Solutions", ".tag_hide-cell", (cell) =>
    cell.closest("section").querySelector("h2, h3"));
  gather("Answers", ".pinv-quiz details", (fold) =>
    fold.closest(".pinv-quiz").querySelector("legend"));
  article.querySelectorAll("span.math").forEach(keepWithFormula);
  article.querySelectorAll("td").forEach(keepNumbers);
  article.querySelectorAll("mjx-container[display], table").forEach(fit);
  const address = make("p", "", article);
  address.className = "pinv-address";
  make("a", online, address).href = online;
  title.after(address);
  keepPlaces();
  const sections = [...article.querySelectorAll("section > h2")];
  return [title, ...sections].map((h) => [h.parentElement.id, words(h)]);
}
