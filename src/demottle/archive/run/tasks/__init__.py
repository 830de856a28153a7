"""One file for each verb: `run(order, job, row, closing) -> row` does it with one series and publishes what came of it."""
