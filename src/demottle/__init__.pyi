from demottle.image import Image as Image
from demottle.io import read as read
from demottle.io import write as write
from demottle.io.objects import from_nibabel as from_nibabel
from demottle.io.objects import from_numpy as from_numpy
from demottle.io.objects import from_sitk as from_sitk
from demottle.io.objects import from_torch as from_torch
from demottle.io.objects import to_nibabel as to_nibabel
from demottle.io.objects import to_numpy as to_numpy
from demottle.io.objects import to_sitk as to_sitk
from demottle.io.objects import to_torch as to_torch
from demottle.pipeline.run import denoise as denoise

__version__: str
__all__: list[str]
