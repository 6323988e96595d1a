"""A causal language model of the Hugging Face library as a scikit-learn style estimator."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote.models.contract import OnEpoch
from byrote.models.divergence import check_loss, check_weights
from byrote.models.language.causal import files, loading, settings, training, weights
from byrote.models.language.causal.causality import check_causal
from byrote.models.language.causal.codec import Codec
from byrote.models.language.causal.forward import asked, context_of
from byrote.models.language.causal.reading import FittedNetwork
from byrote.models.torch_state import flushed_denormals


class CausalLM(FittedNetwork, DensityMixin, BaseEstimator):  # type: ignore[misc]
    r"""Any causal language model of the Hugging Face library, fine-tuned or trained from scratch.

    Everything is read from this machine: no hub is asked, no code of a model's folder is run, and
    weights are read from safetensors alone.

    A text begins behind the tokenizer's token for the beginning of a text, or else for the end of
    the text before it. Where the tokenizer has neither, nothing is known of a text's first token:
    texts are scored from their second one, and a search needs a prefix.

    Parameters
    ----------
    path
        Folder of a trained model (``config.json``, ``*.safetensors``), which ``fit`` fine-tunes.
    config
        Instead of ``path``: the configuration of a network to train from scratch, a mapping with
        ``model_type`` or the path of a ``config.json``.
    tokenizer
        Folder of the tokenizer; if not given, that of the model or of the configuration.
    epochs, batch_size, learning_rate, weight_decay
        Training with AdamW (other settings PyTorch's; biases and gains are not decayed; the
        gradient's norm is at most 1). The learning rate is 5e-5 for fine-tuning and 1e-3 from
        scratch, if not given. A batch holds ``batch_size`` windows.
    window
        Tokens read at once in training; also the most that a network trained from scratch reads
        later.
    shuffle
        Whether the windows come in a new order in each epoch.
    report_every
        After how many batches ``on_epoch`` is called, and at the end; after each epoch if not
        given.
    random_state
        Seed of initial weights, order of windows and dropout.
    device
        PyTorch device.

    Attributes
    ----------
    network_, tokenizer_
        Of the transformers library.
    losses_ : list of float
        Mean training loss since the last report, nats per token, at each report.

    Examples
    --------
    A network of a few thousand weights, with a tokenizer of single bytes:

    >>> import tempfile, tokenizers, transformers
    >>> from tokenizers import decoders, models, pre_tokenizers
    >>> letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    >>> vocabulary = {letter: token for token, letter in enumerate(["<end>", *letters])}
    >>> plain = tokenizers.Tokenizer(models.BPE(vocabulary, []))
    >>> plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    >>> plain.decoder = decoders.ByteLevel()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = transformers.PreTrainedTokenizerFast(
    ...         tokenizer_object=plain, eos_token="<end>"
    ...     ).save_pretrained(folder)
    ...     shape = {"model_type": "gpt2", "n_embd": 16, "n_layer": 1, "n_head": 2}
    ...     model = CausalLM(config=shape, tokenizer=folder, window=16, epochs=3)
    ...     _ = model.fit(["the cat sat on the mat\n" * 20])
    >>> bool(model.losses_[-1] < model.losses_[0])
    True
    >>> model.score_samples(["the cat", "xyzzy"]).shape
    (2,)
    """

    takes_texts = True

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        config: Mapping[str, Any] | str | Path | None = None,
        tokenizer: str | Path | None = None,
        epochs: int = 1,
        batch_size: int = 8,
        window: int = 128,
        learning_rate: float | None = None,
        weight_decay: float = 0.01,
        shuffle: bool = True,
        report_every: int | None = None,
        random_state: int = 0,
        device: str = "cpu",
    ) -> None:
        self.path = path
        self.config = config
        self.tokenizer = tokenizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.window = window
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.shuffle = shuffle
        self.report_every = report_every
        self.random_state = random_state
        self.device = device

    @classmethod
    def of(cls, network: Any, tokenizer: Any) -> "CausalLM":
        """A fitted model of a network and a tokenizer that are already in memory.

        The network is used as it is, where it is, and stays in the mode it is in.

        Parameters
        ----------
        network
            A causal language model of the transformers library, trained elsewhere.
        tokenizer
            Its tokenizer, or the folder of one.

        Raises
        ------
        InvalidInput
            If the network sees later tokens, as those of masked language models do.
        """
        where = tokenizer if isinstance(tokenizer, str | Path) else None
        made = cls(config=network.config.to_dict(), tokenizer=where)
        read = loading.tokenizer_of(where) if where is not None else tokenizer
        return made._take(network, read, context_of(network))

    def file_hashes(self) -> dict[str, str]:
        """Hashes of the files that the parameters name: a part of what model this is."""
        named = {"path": self.path, "config": self.config, "tokenizer": self.tokenizer}
        places = {name: value for name, value in named.items() if isinstance(value, str | Path)}
        return {
            name: files.content(Path(place))
            for name, place in places.items()
            if Path(place).exists()
        }

    def check_input(self, X: Sequence[str]) -> None:
        """Refuse parameters, files and texts that cannot be used, before any fit.

        Raises
        ------
        InvalidInput
            Naming the argument, what was expected and what came.
        """
        settings.check_parameters(self)
        settings.check_texts(X)
        tokenizer = self._read_tokenizer()
        if self.path is None:
            loading.configuration(self.config, tokenizer)
        else:
            files.check_weights(files.folder("path", self.path, holding="config.json"))

    def fit(self, X: Sequence[str], y: object = None, *, on_epoch: OnEpoch | None = None) -> Any:
        """Train on texts X.

        ``on_epoch(k, {"train": mean loss, nats per token})`` is called after each epoch or every
        ``report_every`` batches, k counting from 1, and may score.

        What the vocabulary lacks is the token for the unknown in training.

        Raises
        ------
        InvalidInput
            If a parameter, a file or a text cannot be used, or the network sees later tokens.
        TrainingDiverged
            If the loss of a report, or a weight at the end, is not finite.
        """
        del y
        self.check_input(X)
        with self._seeded(), flushed_denormals():
            self._make()
            inputs, targets = self._blocks(X, self.codec_)
            schedule = training.Schedule.of(self, settings.learning_rate(self))
            order, report = np.random.default_rng(self.random_state), self._reporter(on_epoch)
            training.train(self.network_, inputs, targets, schedule, order, report)
            check_weights(self.network_, settings.way_out(self))
            self._check_causal()  # weights that were zero before may have hidden it
        self.network_.eval()
        return self

    def batches(self, X: Sequence[str]) -> int:
        """How many batches an epoch on these texts has.

        Raises
        ------
        InvalidInput
            If X is no sequence of texts: how many tokens they have depends on the tokenizer.
        """
        settings.check_parameters(self)
        settings.check_texts(X)
        inputs, _ = self._blocks(X, self._untrained_codec())
        return -(-len(inputs) // self.batch_size)

    def reports(self, X: Sequence[str]) -> int:
        """How often ``on_epoch`` will be called in training on these texts."""
        if self.report_every is None:
            settings.check_parameters(self)
            return self.epochs
        return -(-self.batches(X) * self.epochs // self.report_every)

    @property
    def size(self) -> dict[str, int]:
        """How much it could remember at most: "parameters", "bytes", "compressed" by LZMA."""
        check_is_fitted(self)
        return weights.size_of(self.network_)

    def get_weights(self) -> dict[str, NDArray[np.generic]]:
        """Everything that training made, as arrays by name, tied weights once."""
        check_is_fitted(self)
        return weights.to_arrays(self.network_)

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "CausalLM":
        """Make this a fitted model with weights from ``get_weights``.

        Raises
        ------
        InvalidInput
            If the weights do not fit the configuration.
        """
        settings.check_parameters(self)
        with self._seeded():
            self._make(arrays)
        weights.load(self.network_, arrays)
        self.network_.eval()
        return self

    def _make(self, arrays: Mapping[str, ArrayLike] | None = None) -> "CausalLM":
        """The network before training; without its trained weights if others are to be set."""
        tokenizer = self._read_tokenizer()
        if self.path is not None and arrays is None:
            network = loading.pretrained(self.path)
        else:
            source = self.config if self.path is None else self.path
            network = loading.untrained(loading.configuration(source, tokenizer), arrays)
        settings.check_window(self.window, network)
        context = self.window if self.path is None else context_of(network)
        self.losses_: list[float] = []
        return self._take(network.to(self.device), tokenizer, context)

    def _take(self, network: Any, tokenizer: Any, context: int | None) -> "CausalLM":
        self.network_, self.tokenizer_ = network, tokenizer
        self.codec_ = Codec(tokenizer, network.config.get_text_config().vocab_size)
        self.context_ = max(self.window, 1024) if context is None else context
        self._check_causal()
        return self

    def _check_causal(self) -> None:
        self.rounding_ = check_causal(self.network_, self.codec_.plain, self.context_)

    def _read_tokenizer(self) -> Any:
        return loading.tokenizer_of(
            loading.tokenizer_folder(self.path, self.config, self.tokenizer)
        )

    def _blocks(self, X: Sequence[str], codec: Codec) -> training.Blocks:
        return training.blocks(
            training.stream(codec.all_ids(X), codec.start, codec.end), self.window
        )

    def _reporter(self, on_epoch: OnEpoch | None) -> Callable[[int, float], None]:
        def report(number: int, loss: float) -> None:
            self.losses_.append(loss)
            check_loss(loss, f"report {number}", settings.way_out(self))
            if on_epoch is not None:
                with asked(self.network_), self._seeded():  # what it draws changes no training
                    on_epoch(number, {"train": loss})

        return report

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """The global generators, which initialise layers and draw dropout, seeded and put back."""
        device = torch.device(self.device)
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
            torch.manual_seed(self.random_state)
            yield

    def _untrained_codec(self) -> Codec:
        return Codec(tokenizer := self._read_tokenizer(), len(tokenizer))
