from demottle.image import Image as Image
from demottle.io import read as read
from demottle.io import write as write
from demottle.pipeline.run import denoise as denoise

__version__: str
__all__ = ["Image", "__version__", "denoise", "read", "write"]
