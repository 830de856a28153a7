"""What lies beside an MR series: its phase, maps, noise, and the names and sidecars of BIDS."""
