"""The parts of a plan: of characters, of words, of tags."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from polytag.plan.values import AUTO, Flag, Fraction, NetworkScheme, Paths, Positive, Size, Table
from polytag.tokenisers import TOKENISERS, UNICODE, is_tokeniser

Cell = Literal["reset_before", "reset_after", "lstm"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]  # as spaCy has them: ISO 639, xx for any
_CELLS = "a GRU, reset_before: as the paper, or reset_after: as torch.nn.GRU; lstm: an LSTM in its place"
_BIASES = "give the gates biases; the paper has none; those of an LSTM's forget gates start from 1"


def _tokeniser(value: object) -> object:
    if not is_tokeniser(value):
        raise ValueError(f"expected {TOKENISERS}")
    return value


class Chars(Table):
    """A character part: alphabet, character embedding and character GRU (paper, section 3.2.1)."""

    dimension: Size = Field(25, description="of the character embedding")
    hidden: Size = Field(80, description="width of the character GRU in each direction")
    layers: Size = Field(2, description="of the character GRU")
    cell: Cell = Field("reset_before", description=_CELLS)
    bias: Flag = Field(False, description=_BIASES)
    boundaries: Flag = Field(True, description="give each word a start and an end symbol")
    dropout: Fraction = Field(0.0, description="at the input of each layer")


class Words(Table):
    """A word part: word list, word embedding, pretrained vectors and word GRU (paper, section 3.2.2)."""

    vectors: str | None = Field(None, description="file of pretrained word vectors")
    vector_std: Positive | None = Field(None, description="rescale the vectors to this standard deviation")
    fine_tuning: Annotated[float, Field(ge=0.0, le=1.0, strict=True)] = Field(
        1.0,
        description="share of the learning rate that word embeddings move at, where there are vectors; 0: they stay",
    )
    clusters: Paths | None = Field(
        None,
        description="'auto' for those of the vectors, or files of Brown paths or classes: features of the linear CRF",
    )
    embedding: Flag = Field(True, description="false leaves word embeddings out: characters alone")
    dimension: Size = Field(50, description="of the word embedding; where there are vectors, theirs")
    hidden: Size = Field(300, description="width of the word GRU in each direction")
    layers: Size = Field(2, description="of the word GRU")
    cell: Cell = Field("reset_before", description=_CELLS)
    bias: Flag = Field(False, description=_BIASES)
    dropout: Fraction = Field(0.0, description="at the input of each layer")
    unknown: Annotated[float, Field(ge=0.0, allow_inf_nan=False, strict=True)] = Field(
        0.0,
        description="a: while training, a word that occurs n times is read as unknown with probability a / (a + n)",
    )
    lowercase: Flag = Field(True, description="look words up in lower case; false: only if not known as they are")
    zero_digits: Flag = Field(True, description="look words up with every digit as 0")
    max_characters: Size = Field(35, description="longer words are cut for the character GRU only")
    tokeniser: Annotated[str, BeforeValidator(_tokeniser)] = Field(
        UNICODE, description=f"what cuts text into words, in records and raw text: {TOKENISERS}"
    )
    language: Language | None = Field(
        None, description="code of the language, such as 'en', as a server is asked for it"
    )
    vocabulary: Literal["train", "all"] = Field("train", description="'all' takes the words of dev and test files too")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.vectors is not None and not self.embedding:
            raise ValueError("vectors need the word embedding; leave 'vectors' out or set embedding = true")
        if self.vectors is None and self.fine_tuning < 1:
            raise ValueError("fine_tuning is of pretrained vectors; give 'vectors', or leave 'fine_tuning' out")
        if AUTO in (self.clusters or ()) and self.vectors is None:
            raise ValueError(f"clusters '{AUTO}' are those of word vectors; give 'vectors', or name files of clusters")
        return self


class Tags(Table):
    """A tag part: tag set, gazetteer input, emission projection and CRF (paper, section 3.3)."""

    output: Literal["crf", "softmax"] = Field(
        "crf", description="crf scores whole tag sequences; softmax each word's tag for itself, without a margin"
    )
    layer: Size | None = Field(
        None, description="of the word GRU whose states are read, 1 the lowest; unless given, the highest"
    )
    scheme: NetworkScheme = Field("bioes", description="how the network sees spans")
    gazetteer: str | None = Field(None, description="CoNLL list, 'TYPE entity words' per line")
    gazetteer_dropout: Fraction = Field(
        0.0, description="of words, while training: their gazetteer column is as if no entry had matched"
    )
    features: Flag = Field(
        False, description="train a linear CRF on affixes, shapes and neighbours of words too, and add its scores"
    )
    constrained: Flag = Field(False, description="decode valid tag sequences only")
    dropout: Fraction = Field(0.0, description="at the input of the CRF or softmax")
