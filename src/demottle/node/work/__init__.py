"""The worker: one process that denoises complete series, one after the other, by the path that `demottle denoise` goes."""
