"""The weekly health report: suppressions, and the engine behind them."""
