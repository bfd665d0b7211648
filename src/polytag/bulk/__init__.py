"""Many texts, many processes: texts cut into pieces, tagged by workers on one machine or on a cluster, put in order."""

from polytag.bulk.pieces import Piece as Piece
from polytag.bulk.pieces import cut as cut
from polytag.bulk.processes import tagging as tagging
from polytag.bulk.worker import Assignment as Assignment
