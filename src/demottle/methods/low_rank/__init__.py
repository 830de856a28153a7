"""Local low rank: series of MR volumes less the components that are noise, complex or magnitude."""
