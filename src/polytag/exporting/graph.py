"""A small hand for ONNX graphs: constants, nodes and subgraphs with names of their own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

# The oldest that hold all that is used, so that runtimes of some years ago read the graph too.
OPSET, IR_VERSION = 17, 8

Shape = Sequence[str | int]


class Graph:
    """Nodes in the order of their making; a value is known by its name."""

    def __init__(self, prefix: str = "") -> None:
        """``prefix`` begins the names of a subgraph, for it sees all names around it."""
        self._prefix, self._numbers = prefix, 0
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: dict[str, Any] = {}
        self._outputs: list[Any] = []

    def input(self, name: str, shape: Shape, kind: int = TensorProto.INT64) -> str:
        """An input of the graph; naming it again changes nothing."""
        self._inputs.setdefault(name, helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, value: str, shape: Shape, kind: int) -> None:
        """Give a value out under a name."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def constant(self, array: npt.ArrayLike, name: str = "") -> str:
        """A tensor that is part of the graph; of a name there is one."""
        name = name or self._fresh("constant")
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Apply an operator with one result."""
        return self.nodes(operator, *inputs, results=1, **attributes)[0]

    def nodes(self, operator: str, *inputs: str, results: int, **attributes: Any) -> list[str]:
        """Apply an operator with several results."""
        names = [self._fresh(operator) for _ in range(results)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    @property
    def bytes(self) -> int:
        """What the constants take."""
        return sum(len(tensor.raw_data) for tensor in self._constants.values())

    def proto(self, name: str) -> onnx.GraphProto:
        return helper.make_graph(
            self._nodes, name, list(self._inputs.values()), self._outputs, list(self._constants.values())
        )

    def _fresh(self, what: str) -> str:
        self._numbers += 1
        return f"{self._prefix}{what}_{self._numbers}"
