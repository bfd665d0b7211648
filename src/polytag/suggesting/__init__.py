"""Active help for annotators: the sentences whose annotation would teach a model most, ready for annotation tools."""

from polytag.suggesting.choice import Suggested as Suggested
from polytag.suggesting.choice import suggest as suggest
from polytag.suggesting.formats import FORMATS as FORMATS
from polytag.suggesting.formats import written as written
from polytag.suggesting.reading import candidates as candidates
from polytag.suggesting.suggestion import Suggestion as Suggestion
from polytag.suggesting.uncertainty import MEASURES as MEASURES
