"""How fast the parts are, as ratios of one another: `make bench`."""
