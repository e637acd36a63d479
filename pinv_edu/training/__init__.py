"""How the bundled priors were trained: data, recipe, report."""
