"""A model that is trained while people annotate with its help: the backend of Label Studio and of INCEpTION.

A request on its way: routes (what tools ask) -> label_studio, inception (their shapes) -> the server's queue, for
predictions; or annotations (a file) -> loop (when to train) -> training (a child process) -> the server's models.
"""

from polytag.server.live.loop import Live as Live
from polytag.server.live.loop import LiveOptions as LiveOptions
