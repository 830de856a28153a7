"""Denoising methods, one file per paper; `registry` names them without importing them."""

from demottle.methods.base import Budget, Denoiser
from demottle.methods.models import load
from demottle.methods.registry import METHODS, MethodInfo, method

__all__ = ["METHODS", "Budget", "Denoiser", "MethodInfo", "load", "method"]
