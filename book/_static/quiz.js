// A quiz answers back: the words about the chosen answer are copied from the
// folded list into the status line, which a screen reader then reads aloud.
for (const quiz of document.querySelectorAll(".pinv-quiz")) {
  const button = quiz.querySelector("button");
  const status = quiz.querySelector("[role=status]");
  const say = (state, ...words) => {
    quiz.dataset.state = state;
    status.replaceChildren(...words);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const chosen = quiz.querySelector("input:checked");
    if (!chosen) return say("open", "Choose an answer first.");
    const why = document.getElementById(chosen.dataset.why).cloneNode(true);
    say("right" in chosen.dataset ? "right" : "wrong", ...why.childNodes);
  });
  // What was said belongs to another choice.
  quiz.addEventListener("change", () => say("open"));
}
