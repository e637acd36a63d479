"""Break laws on purpose and see whether the tests notice.

    python benchmarks/mutations.py            # all of them
    python benchmarks/mutations.py project    # those whose file or words match

Each mutant is one small change of the library, made in a copy; the tests of
the layer it belongs to must fail. A survivor is a hole in the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BASE = "test_chain test_laws"
LINEAR = "test_operators test_laws"
CURVES = "test_bijections"
SPNN = "test_spnn test_train_spnn"
SAMPLER = "test_sampling"
PRIOR = "test_priors test_sampling"
TRAIN = "test_train_spnn"


class Mutant(NamedTuple):
    """What is broken, and the tests that should see it."""

    file: str
    right: str
    wrong: str
    words: str
    tests: str


MUTANTS = [
    # Back-projection
    Mutant("base.py", "self._move(x, y, strength, code)",
           "self._move(x, y, 1.0, code)", "λ ignored", BASE),
    Mutant("base.py", "torch.lerp(y_x, y, per_item(strength, y))",
           "torch.lerp(y, y_x, per_item(strength, y))",
           "y and g(x) swapped", BASE),
    Mutant("chain.py", "torch.lerp(y_x, y, per_item(strength, y))",
           "y_x + (y - y_x)", "λ ignored in a chain's measurement", BASE),
    Mutant("codes.py", "(new - old)", "(old - new)",
           "null coordinates moved the wrong way", BASE),
    Mutant("base.py", "code_y, self.null_code(y_x)", "code_y, code_y",
           "null code of g(x) forgotten", SPNN + " " + BASE),
    Mutant("chain.py", "part(own, len(x), None) if code is None",
           "part(own, 0, len(x)) if code is None",
           "code of y replaced by that of g(x)", BASE + " " + SPNN),
    Mutant("chain.py", 'before, target, completion="centred")',
           'before, target, completion="raw")',
           "centred form not passed on to nested chains", BASE),
    # Linear operators
    Mutant("linear/operator.py", "return y, x - self.pinv(y)",
           "return y, x + self.pinv(y)", "sign of the null part", LINEAR),
    Mutant("linear/operator.py", "self.pinv(y) + self.check_x(z)",
           "self.adjoint(y) + self.check_x(z)",
           "transpose in place of A+", LINEAR),
    Mutant("linear/isometry.py", "x / self.scale**2", "x / self.scale",
           "scale of A+ not squared", LINEAR),
    Mutant("linear/isometry.py", "self.check_y(y) / self.factor**2",
           "self.check_y(y)", "adjoint of pooling not divided", LINEAR),
    Mutant("linear/isometry.py", "at_zero * x + (at_scale - at_zero)",
           "at_zero * x + at_scale", "filter counts σ = 0 twice", LINEAR),
    # Bijections
    Mutant("bijections/curves.py", "odd_power(response, 1 / self.exponent)",
           "odd_power(response, self.exponent)",
           "gamma undone by gamma", CURVES),
    Mutant("bijections/curves.py", "u.sign() * size**exponent",
           "size**exponent", "sign below black lost", CURVES),
    Mutant("bijections/orthogonal.py", "w @ (1.5 * eye - 0.5 * w.T @ w)",
           "w * (1 + 1e-6)",
           "mix no longer orthogonal to rounding", CURVES),
    Mutant("bijections/orthogonal.py", "k, eye = b - b.T,",
           "k, eye = b + b.T,", "symmetric matrix in Cayley's map", CURVES),
    # The surjective block
    Mutant("spnn/coupling.py", "(y - shift) * (-log_scale).exp()",
           "(y - shift) * log_scale.exp()", "scale not inverted", SPNN),
    Mutant("spnn/coupling.py", "x0 * log_scale.exp() + shift, x1",
           "x0 * log_scale.exp() + shift, x0.mean() * 0 + x1 * 2",
           "code is not what was dropped", SPNN),
    Mutant("spnn/coupling.py",
           "self.scale_bound * torch.tanh(scale / self.scale_bound)",
           "scale", "scale without its bound", SPNN),
    # Diffusion
    Mutant("priors/schedule.py", "(x_t - (1 - alpha) ** 0.5 * noise)",
           "(x_t + (1 - alpha) ** 0.5 * noise)", "noise added twice", PRIOR),
    Mutant("priors/schedule.py", "alpha**0.5 * x_0 + (1 - alpha) ** 0.5",
           "alpha**0.5 * x_0 + (1 - alpha)", "variance for deviation", PRIOR),
    Mutant("sampling/loop.py", "fresh = eta**2 * total",
           "fresh = eta * total", "share of fresh noise", SAMPLER),
    Mutant("sampling/schedule.py", "return 1.0 if index < 0 else",
           "return float(alphas_cumprod[0]) if index < 0 else",
           "last step does not end without noise", SAMPLER),
    Mutant("sampling/schedule.py", "dict.fromkeys(range(0, steps - length,",
           "dict.fromkeys(range(0, steps,", "time-travel from the top",
           SAMPLER),
    Mutant("sampling/rules.py", "operator.pinv(operator(x0)) - target",
           "target - operator.pinv(operator(x0))",
           "sign of DDNM+'s correction", SAMPLER),
    Mutant("sampling/rules.py", "trust / (trust + sigma**2)",
           "trust / (trust + sigma)", "σ_y not squared", SAMPLER),
    Mutant("sampling/strengths.py", "error + self.memory * self.sum",
           "error", "the memory forgets all at once", SAMPLER),
    Mutant("spnn/losses.py", "(moved.abs() - 1)",
           "(moved.abs() - 0)", "a swap pays inside the range, too", TRAIN),
    Mutant("sampling/rules.py", "share * left(s, move)",
           "left(s, move)", "old noise counted again", SAMPLER),
]  # fmt: skip


def copy(folder: Path) -> None:
    """Take the library and its tests along, not the book."""
    for name in ("pinv_edu", "tests", "scripts", "benchmarks", "notebooks"):
        shutil.copytree(ROOT / name, folder / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "requirements.txt"):
        shutil.copy(ROOT / name, folder)


def passes(names: str, folder: Path) -> bool:
    """Run tests against the copy."""
    tests = [f"tests/{name}.py" for name in names.split()]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider",
         *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )  # fmt: skip
    if run.returncode not in (0, 1, 2):
        sys.exit(run.stdout + run.stderr)
    return run.returncode == 0


def noticed(mutant: Mutant, folder: Path) -> bool:
    """Whether a test fails while the mutant stands in the copy."""
    file = folder / "pinv_edu" / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.right) < 1:
        sys.exit(f"{mutant.file} no longer holds: {mutant.right}")
    file.write_text(text.replace(mutant.right, mutant.wrong), "utf-8")
    found = not passes(mutant.tests, folder)
    file.write_text(text, encoding="utf-8")
    return found


def main() -> int:
    wanted = " ".join(sys.argv[1:])
    mutants = [m for m in MUTANTS if wanted in f"{m.file} {m.words}"]
    with tempfile.TemporaryDirectory() as name:
        copy(folder := Path(name))
        for names in sorted({m.tests for m in mutants}):
            if not passes(names, folder):
                sys.exit(f"{names}: a test fails before anything is broken")
        killed = 0
        for mutant in mutants:
            found = noticed(mutant, folder)
            killed += found
            word = "noticed " if found else "SURVIVED"
            print(f"{word}  {mutant.file}: {mutant.words}", flush=True)
    print(f"{killed} of {len(mutants)} mutants noticed")
    return int(killed < len(mutants))


if __name__ == "__main__":
    sys.exit(main())
