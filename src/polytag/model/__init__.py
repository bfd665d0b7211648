"""A model: plan, vocabularies and named arrays, to and from a directory or one packed file."""

from polytag.model.checkpoint import load_model as load_model
from polytag.model.checkpoint import save as save
from polytag.model.checkpoint import save_model as save_model
from polytag.model.model import Model as Model
from polytag.model.shapes import shapes as shapes
