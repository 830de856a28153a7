"""Denoising methods, one room per family; `registry` names them without importing them."""

from demottle.methods.base import Budget, Denoiser
from demottle.methods.models import load
from demottle.methods.registry import METHODS, MethodInfo, method

__all__ = ["METHODS", "Budget", "Denoiser", "MethodInfo", "load", "method"]
