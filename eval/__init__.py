"""How Concours runs: config, plan, execution, store, statistics and reports."""
