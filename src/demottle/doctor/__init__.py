"""Whether demottle can work on this machine, and how fast: packages, decoders, device, room, pace. Looks at no scan."""
