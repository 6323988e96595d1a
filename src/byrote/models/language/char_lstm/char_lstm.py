"""The recurrent character model as a scikit-learn estimator of texts."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from byrote.models import identity, torch_utils
from byrote.models.contract import OnEpoch
from byrote.models.early_stopping import EarlyStopping
from byrote.models.language.char_lstm import parameters
from byrote.models.language.char_lstm.fitted_lstm import FittedLSTM
from byrote.models.language.char_lstm.network import mean_cost, untrained
from byrote.models.language.char_lstm.training import noise_schedule, private_steps, train
from byrote.models.language.char_lstm.windows import (
    CODE_POINTS,
    Vocabulary,
    encode_texts,
    vocabulary_of,
)
from byrote.models.language.steppers import as_texts
from byrote.models.privacy import DP
from byrote.models.torch_utils import (
    Stream,
    check_weights,
    flushed_denormals,
    generator_from,
    loss_recorder,
    seed_of,
)


class CharLSTM(FittedLSTM):
    r"""Long short-term memory over characters: by default two layers of 200 units, 680,000 weights.

    The vocabulary is printable ASCII, every other character of the training texts, and one unknown
    character. Training joins the texts, each ended by a newline, cuts the whole into ``batch_size``
    streams and reads them in parallel, ``window`` characters between two steps, by truncated
    back-propagation: within an epoch a window begins in the state left by the one before it. With
    ``separate`` each stream is a text, which begins in the state zero, after a newline, as in
    ``score_samples``.

    Parameters
    ----------
    hidden, layers
        Number of units per layer, also the size of the embedding; number of layers.
    epochs
        Number of passes over the whole text.
    batch_size, window
        Number of streams; number of characters of each per step.
    optimizer
        "adam", "rmsprop" or "sgd" (without momentum).
    learning_rate
        Size of a step, constant; None for one that suits the optimizer.
    dropout
        Share, in [0, 1), of a layer's outputs to the one above that is dropped in training (Zaremba
        et al. 2014); nothing is dropped through time.
    weight_decay
        In [0, 1). Decoupled for "adam" (AdamW); for the others times the weights, and added to the
        gradient.
    patience, validation
        Stop after this number of epochs without a new lowest ``loss`` of validation texts, and keep
        the weights of the lowest; ``epochs`` is then a maximum. The texts, in a list or in a file,
        must not be in X; a run keeps their hash as a part of the model.
    clip
        Largest norm of the gradient; a longer one is shortened to it.
    shuffle
        Begin each epoch at a random place and read the text cyclically, so that batches differ from
        epoch to epoch. False: always from the start.
    report_every
        Number of batches between reports of the training loss to ``on_epoch``; None for each epoch.
    random_state
        Seed of initial weights, places and dropout: the same seed gives the same weights bit for
        bit on one kind of processor.
    separate
        Train on each text by itself. None: where the records of a run are texts.
    characters
        Characters of the vocabulary beyond printable ASCII; None for those of the training texts,
        or of all records where these are texts.
    precision
        Precision of matrix products in training: "float32"; "bfloat16", more than twice as fast on
        processors with units for it and slow on others; or "auto", the latter if it is clearly
        faster when timed, once per process, and once for all fits of a run. Texts are always scored
        in float32.
    dp
        Private training (DP-SGD), or None. The joined text is then cut on a fixed grid into windows
        of ``window`` characters, each read from the state zero after a newline: a character is in
        one window, and the guarantee is about a window. Batches of ``batch_size`` windows on
        average are drawn at random; ``dp.max_grad_norm`` replaces ``clip``; the vocabulary is
        printable ASCII, ``characters`` and the unknown character alone, since characters of a text
        would otherwise be revealed without noise. With ``separate`` the guarantee is about a whole
        text, which a window must hold.

    Attributes
    ----------
    losses_ : list of float
        Mean loss of each report, nats per character.
    vocabulary_ : Vocabulary
        Characters in the order of their tokens.
    facts_ : dict
        With ``dp``, "privacy": a ``byrote.models.DPGuarantee``. It covers all that a private fit
        leaves except for ``losses_``, which are computed from the windows without noise. With
        ``patience``, "stopped": the epoch whose weights are kept, the number of epochs, and the
        loss, nats per character.

    Examples
    --------
    >>> model = CharLSTM(hidden=16, layers=1, epochs=2, batch_size=4, window=10)
    >>> model = model.fit(["the random number is 281265017\n"] * 20)
    >>> model.score_samples(["the", "eht"]).shape
    (2,)
    >>> model.decode(model.encode("the"))
    'the'
    >>> model.next_log_probs(["the random"]).shape == (1, len(model.token_strings()))
    True
    """

    takes_texts = True
    private_parameters = ("validation",)

    def __init__(
        self,
        hidden: int = 200,
        layers: int = 2,
        *,
        epochs: int = 10,
        batch_size: int = 64,
        window: int = 50,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        dropout: float = 0.0,
        weight_decay: float = 0.0,
        patience: int | None = None,
        validation: Sequence[str] | str | Path | None = None,
        clip: float = 5.0,
        shuffle: bool = True,
        report_every: int | None = None,
        separate: bool | None = None,
        characters: str | None = None,
        random_state: int | None = 0,
        precision: str = "auto",
        dp: DP | None = None,
    ) -> None:
        self.hidden = hidden
        self.layers = layers
        self.epochs = epochs
        self.batch_size = batch_size
        self.window = window
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.patience = patience
        self.validation = validation
        self.clip = clip
        self.shuffle = shuffle
        self.report_every = report_every
        self.separate = separate
        self.characters = characters
        self.random_state = random_state
        self.precision = precision
        self.dp = dp

    def check_input(self, X: Sequence[str]) -> None:
        """Refuse texts that the model cannot be trained on, before any fit.

        Raises
        ------
        InvalidInput
            If X is not a list of texts; if they are shorter together than a window; if no noise
            meets the guarantee of ``dp``; or if validation texts are among them.
        """
        parameters.check_parameters(self)
        texts = as_texts(X)
        parameters.check_length(texts, 1 if self.separate else self.window)
        if self.dp is not None:
            if self.separate:
                parameters.check_private_texts(self, texts)
            noise_schedule(self, texts)
        if self.validation is not None:
            parameters.check_validation(self.validation, texts)

    def file_hashes(self) -> dict[str, str]:
        """Return the hash of the file of validation texts, if any: a part of the model."""
        return identity.hash_files(validation=self.validation)

    def fit(
        self, X: Sequence[str], y: object = None, *, on_epoch: OnEpoch | None = None
    ) -> "CharLSTM":
        """Train on texts.

        ``on_epoch(k, {"train": nats per character})`` is called at each report with its number,
        from 1, and the mean loss of the batches since the one before; the last is at the end of
        training. It may score.

        Raises
        ------
        InvalidInput
            If a parameter or a text is not valid.
        TrainingDiverged
            If the loss of a report, or a weight at the end, is not finite.
        """
        del y
        self.check_input(X)
        texts = as_texts(X)
        with flushed_denormals():
            self._initialize(Vocabulary.of(parameters.characters_of(self, texts)))
            generator = generator_from(seed_of(self.random_state, Stream.TRAINING), "cpu")
            schedule = parameters.schedule_of(self)
            reading = parameters.reading_of(self, texts, self.vocabulary_)
            steps, stopping = None, self._early_stopping()
            if self.dp is not None:
                steps, self.facts_["privacy"] = private_steps(self, texts, reading, schedule)
            stops = None if stopping is None else stopping.stops
            may_recover = self.patience is not None or self.dp is not None
            remedy = None if may_recover else parameters.remedy(self)
            report = loss_recorder(self.losses_, on_epoch, report="report", remedy=remedy)
            train(self.network_, reading, schedule, generator, report, steps, stops)
            if stopping is not None:
                stopping.restore()
                self.facts_["stopped"] = stopping.facts()
        check_weights(self.network_, parameters.remedy(self))
        return self

    def batches(self, X: Sequence[str]) -> int:
        """Return the number of steps of one epoch over these texts."""
        self.check_input(X)
        return parameters.steps_of(self, as_texts(X))

    def reports(self, X: Sequence[str]) -> int:
        """Return the number of calls of ``on_epoch`` for these texts, ``patience`` aside."""
        return parameters.schedule_of(self).reports(self.batches(X))

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "CharLSTM":
        """Make this a fitted model with weights from ``get_weights`` of one with the same sizes.

        Raises
        ------
        InvalidInput
            If the weights do not fit the parameters.
        """
        parameters.check_parameters(self)
        sizes = {"layers": self.layers, "hidden": self.hidden}
        torch_utils.check_sizes(arrays, of="CharLSTM's parameters", **sizes)
        loaded = clone(self)._initialize(vocabulary_of(arrays))
        network = {name: value for name, value in arrays.items() if name != CODE_POINTS}
        torch_utils.load(loaded.network_, network, of="CharLSTM's parameters")
        torch_utils.adopt(self, loaded)
        return self

    def prepared(self, X: Any) -> tuple["CharLSTM", Any]:
        """Return a copy for texts as the records of a run, and X.

        It trains on each text by itself, and its vocabulary has all their characters, so that texts
        that a fit holds out can be scored; with ``dp`` only those that ``characters`` names.
        """
        values: dict[str, Any] = {} if self.separate is not None else {"separate": True}
        further = parameters.further_characters(X.texts)
        if further and self.characters is None and self.dp is None:
            values["characters"] = further
        return clone(self).set_params(**values), X

    def settled(self, shape: tuple[int, ...] = (), fits: int = 1) -> "CharLSTM":
        """Return a copy without "auto", for this machine."""
        del shape, fits
        parameters.check_parameters(self)
        return clone(self).set_params(precision=parameters.precision_of(self))

    def _initialize(self, vocabulary: Vocabulary) -> "CharLSTM":
        seed = seed_of(self.random_state, Stream.INITIAL)
        self.vocabulary_ = vocabulary
        self.network_ = untrained(len(vocabulary), self.hidden, self.layers, seed)
        self.losses_: list[float] = []
        self.facts_: dict[str, Any] = {}
        return self

    def _early_stopping(self) -> EarlyStopping | None:
        if self.patience is None:
            return None
        text = encode_texts(parameters.validation_texts(self.validation), self.vocabulary_)
        loss = partial(mean_cost, self.network_, text)
        return EarlyStopping(self.network_, loss, self.patience)
