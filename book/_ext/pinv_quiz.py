"""``{quiz}``: a question that answers back in the page, without a network.

Without JavaScript the question is read with its answers folded below it.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from quiz_text import Answer, QuizError, parse


def html(text: str) -> nodes.raw:
    """Return a piece of HTML."""
    return nodes.raw("", text, format="html")


class Quiz(SphinxDirective):
    """One question; the form of its text is that of :mod:`quiz_text`."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the question, its choices, and the answers folded away."""
        try:
            asked = parse(self.content)
        except QuizError as error:
            raise self.error(f"quiz: {error}") from error
        turn = self.env.new_serialno("quiz") + 1
        begin = (
            f'<div class="pinv-quiz"><fieldset aria-describedby="quiz-{turn}">'
            f'<legend>Question {turn}</legend><p id="quiz-{turn}">'
        )
        return [
            html(begin), *self.inline(asked.text), html("</p>"),
            *self.choices(asked.answers, turn), html(END),
            *self.folded(asked.answers, turn), html("</div>"),
        ]  # fmt: skip

    def inline(self, text: str) -> list[nodes.Node]:
        """Read formulas, code and links of one paragraph."""
        found, problems = self.state.inline_text(text, self.lineno)
        return [*found, *problems]

    def choices(
        self, answers: tuple[Answer, ...], turn: int
    ) -> list[nodes.Node]:
        """Return a radio button with its label for each answer."""
        found: list[nodes.Node] = []
        for i, answer in enumerate(answers):
            name = f"quiz-{turn}-{i}"
            found += [
                html(
                    f'<div><input type="radio" name="quiz-{turn}" '
                    f'id="{name}" data-why="{name}-why"'
                    f"{' data-right' if answer.right else ''}>"
                    f'<label for="{name}">'
                ),
                *self.inline(answer.text),
                html("</label></div>"),
            ]
        return found

    def folded(
        self, answers: tuple[Answer, ...], turn: int
    ) -> list[nodes.Node]:
        """Return what there is to say about every answer."""
        found: list[nodes.Node] = [html(FOLD)]
        for i, answer in enumerate(answers):
            mark = "Right" if answer.right else "Wrong"
            found += [
                html("<li><p>"), *self.inline(answer.text),
                html(f'</p><p id="quiz-{turn}-{i}-why"><b>{mark}.</b> '),
                *self.inline(answer.why), html("</p></li>"),
            ]  # fmt: skip
        return [*found, html("</ul></details>")]


# The button waits for the script; without it there is nothing to press.
END = (
    '</fieldset><button type="button" hidden>Check</button>'
    '<p role="status" aria-live="polite"></p>'
)
FOLD = "<details><summary>All answers</summary><ul>"


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Load the script where there is a quiz, and nowhere else."""
    if 'class="pinv-quiz"' in context.get("body", ""):
        app.add_js_file("quiz.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("quiz", Quiz)
    app.add_css_file("quiz.css")
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
