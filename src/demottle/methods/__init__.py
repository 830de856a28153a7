"""Denoising methods, one room per family; `registry` names them without importing them."""

from demottle.methods.base import Budget, Denoiser
from demottle.methods.card import Contract, MethodInfo
from demottle.methods.models import load
from demottle.methods.registry import METHODS, method, use_file

__all__ = ["METHODS", "Budget", "Contract", "Denoiser", "MethodInfo", "load", "method", "use_file"]
