"""How far each voxel of a denoised CT volume may be from the truth."""
