# `make help` lists the targets.
# PYTHON=python3.12 make book chooses another Python for a new .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WIDGETS7 := .venv/ipywidgets7
SITE := _build/html/.ready
SOURCES := _config.yml _toc.yml requirements.txt Makefile \
  $(shell find book notebooks pinv_edu -type f ! -path '*/__pycache__/*' \
    ! -path '*/.ipynb_checkpoints/*')

.PHONY: help book pdf test lab links colab mutants notebooks clean
help:
	@echo "make book       install what is missing, run every lesson, build the book"
	@echo "make pdf        print the book into one PDF, with Chromium or Chrome"
	@echo "make test       check the library, every lesson and the built book"
	@echo "make lab        open the lessons in JupyterLab"
	@echo "make links      follow every link that leaves the book"
	@echo "make colab      run the lessons next to the packages that Colab brings"
	@echo "make mutants    break the library on purpose; the tests must notice"
	@echo "make notebooks  run the lessons and store the outputs that are checked"
	@echo "make clean      remove the built book and the stored results"

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "pinv-edu needs Python 3.10 or later; try PYTHON=python3.11 make"; exit 1; }
	@echo "Installing into .venv: some minutes, several GB with a GPU build of torch"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -r requirements.txt -e .
	@touch $@

# The sliders must also work with the older ipywidgets of Colab.
$(WIDGETS7): | $(READY)
	$(BIN)/python -m pip install -q --no-deps --target $@ \
	  ipywidgets==7.7.1 ipython-genutils==0.2.0

# Always a whole build: Sphinx forgets a warning once its page is stored.
# Results of lessons whose code did not change come from the cache.
$(SITE): $(READY) $(SOURCES)
	@rm -rf _build/html _build/.doctrees
	$(BIN)/jupyter-book build . -W --keep-going \
	  || { cat _build/html/reports/*.err.log; exit 1; } 2>/dev/null
	@touch $@

book: $(SITE)
	@echo "The book is ready: file://$(CURDIR)/_build/html/index.html"

pdf: $(SITE)
	$(BIN)/python scripts/browser.py
	$(BIN)/python scripts/pdf.py

# tests/test_book.py calls `make book` itself, after the library and the lessons.
test: $(READY) $(WIDGETS7)
	$(BIN)/ruff check
	$(BIN)/codespell
	$(BIN)/python scripts/notebooks.py strip --check
	$(BIN)/python scripts/browser.py
	$(BIN)/python -m pytest --durations=10

lab: $(READY)
	$(BIN)/jupyter lab notebooks

links: $(READY)
	$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links

colab: $(READY)
	$(BIN)/python scripts/colab.py

mutants: $(READY)
	$(BIN)/python benchmarks/mutations.py

notebooks: $(READY)
	$(BIN)/python scripts/notebooks.py run

clean:
	rm -rf _build dist .pytest_cache .ruff_cache .hypothesis
