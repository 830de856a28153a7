"""A plug-in of napari: opens what demottle reads, and denoises a layer. napari finds it by `napari.yaml`, which lies here."""
