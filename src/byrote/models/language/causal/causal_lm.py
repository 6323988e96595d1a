"""A causal language model of the transformers library as a scikit-learn estimator."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin, clone

from byrote.models import torch_utils
from byrote.models.contract import OnEpoch
from byrote.models.language.causal import pretrained, training
from byrote.models.language.causal.causality import check_causal
from byrote.models.language.causal.codec import Codec
from byrote.models.language.causal.fitted_causal_lm import FittedCausalLM
from byrote.models.language.causal.inference import context_of, evaluating
from byrote.models.language.steppers import as_texts
from byrote.models.torch_utils import check_weights, flushed_denormals, loss_recorder


class CausalLM(FittedCausalLM, DensityMixin, BaseEstimator):  # type: ignore[misc]
    r"""Any causal language model of the transformers library, fine-tuned or trained from scratch.

    All files are read from this machine: no hub is contacted, no code of a model's folder is run,
    and weights are read from safetensors alone.

    A text begins after the tokenizer's token for the beginning of a text, or else for the end of
    the text before it. If the tokenizer has neither, a text's first token has no probability: texts
    are scored from their second token, and a search needs a prefix.

    Parameters
    ----------
    path
        Folder of a trained model (``config.json``, ``*.safetensors``), which ``fit`` fine-tunes.
    config
        Instead of ``path``: the configuration of a network to train from scratch, a mapping with
        ``model_type`` or the path of a ``config.json``.
    tokenizer
        Folder of the tokenizer; default: that of the model or of the configuration.
    epochs, batch_size, learning_rate, weight_decay
        Training with AdamW (other settings PyTorch's; biases and gains are not decayed; the
        gradient's norm is at most 1). Default learning rate: 5e-5 for fine-tuning, 1e-3 from
        scratch. A batch holds ``batch_size`` windows.
    window
        Number of tokens read together in training; also the context of a network trained from
        scratch.
    shuffle
        Read the windows in a new order in each epoch.
    separate
        Train on each text by itself, padded after its end, rather than on windows of all texts
        joined. None: where the records of a run are texts.
    overlap
        Number of tokens that a token of a text longer than the context is scored after, at least;
        at most the context, which scores token by token. Default: half of the context.
    report_every
        Number of batches between calls of ``on_epoch``, also called at the end; default: after each
        epoch.
    random_state
        Seed of initial weights, order of windows and dropout.
    device
        PyTorch device.

    Attributes
    ----------
    network_, tokenizer_
        The network and the tokenizer, of the transformers library.
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
        separate: bool | None = None,
        overlap: int | None = None,
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
        self.separate = separate
        self.overlap = overlap
        self.report_every = report_every
        self.random_state = random_state
        self.device = device

    @classmethod
    def of(cls, network: Any, tokenizer: Any) -> "CausalLM":
        """Wrap a network and a tokenizer in memory as a fitted model.

        The network is used without a copy, on its device, and keeps its mode. ``tokenizer`` may
        also be the folder of one.

        Raises
        ------
        InvalidInput
            If the network sees later tokens, as those of masked language models do.
        """
        where = tokenizer if isinstance(tokenizer, str | Path) else None
        model = cls(config=network.config.to_dict(), tokenizer=where)
        loaded = pretrained.load_tokenizer(where) if where is not None else tokenizer
        return model._adopt(network, loaded, context_of(network))

    def file_hashes(self) -> dict[str, str]:
        """Return hashes of the files that the parameters name: a part of the model."""
        named = {"path": self.path, "config": self.config, "tokenizer": self.tokenizer}
        paths = {
            name: Path(value) for name, value in named.items() if isinstance(value, str | Path)
        }
        return {
            name: pretrained.content_hash(path) for name, path in paths.items() if path.exists()
        }

    def check_input(self, X: Sequence[str]) -> None:
        """Refuse parameters, files and texts that cannot be used, before any fit.

        Raises
        ------
        InvalidInput
            If a parameter, a file or a text is not valid.
        """
        training.check_parameters(self)
        as_texts(X)
        tokenizer = self._load_tokenizer()
        if self.path is None:
            pretrained.load_configuration(self.config, tokenizer)
        else:
            pretrained.check_folder(self.path)

    def fit(self, X: Sequence[str], y: object = None, *, on_epoch: OnEpoch | None = None) -> Any:
        """Train on texts X.

        ``on_epoch(k, {"train": mean loss, nats per token})`` is called after each epoch or every
        ``report_every`` batches, k counting from 1, and may score. Characters outside the
        vocabulary become the unknown token.

        Raises
        ------
        InvalidInput
            If a parameter, a file or a text is not valid, or the network sees later tokens.
        TrainingDiverged
            If the loss of a report, or a weight at the end, is not finite.
        """
        del y
        self.check_input(X)
        with self._seeded(), flushed_denormals():
            self._initialize()
            inputs, targets = self._blocks(X, self.codec_)
            schedule = training.Schedule.of(self, training.learning_rate(self))
            order, report = np.random.default_rng(self.random_state), self._recorder(on_epoch)
            training.train(self.network_, inputs, targets, schedule, order, report)
            check_weights(self.network_, training.remedy(self))
            self._check_causal()  # zero weights may have hidden it before training
        self.network_.eval()
        return self

    def batches(self, X: Sequence[str]) -> int:
        """Return the number of batches of an epoch on these texts."""
        training.check_parameters(self)
        as_texts(X)
        inputs, _ = self._blocks(X, self._untrained_codec())
        return -(-len(inputs) // self.batch_size)

    def reports(self, X: Sequence[str]) -> int:
        """Return the number of calls of ``on_epoch`` in training on these texts."""
        if self.report_every is None:
            training.check_parameters(self)
            return self.epochs
        return -(-self.batches(X) * self.epochs // self.report_every)

    def prepared(self, X: Any) -> tuple["CausalLM", Any]:
        """Return a copy for texts as the records of a run, which trains on each by itself, and X.

        Warns of a tokenizer whose tokens spell other texts than these.
        """
        self._untrained_codec().warn_of_changes(X.texts)
        separate = True if self.separate is None else self.separate
        return clone(self).set_params(separate=separate), X

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "CausalLM":
        """Make this a fitted model with weights from ``get_weights``.

        Raises
        ------
        InvalidInput
            If the weights do not fit the configuration.
        """
        training.check_parameters(self)
        with self._seeded():
            self._initialize(arrays)
        torch_utils.load(self.network_, arrays, of="model's configuration")
        self.network_.eval()
        return self

    def _initialize(self, arrays: Mapping[str, ArrayLike] | None = None) -> "CausalLM":
        """Make the network before training, or without weights if ``arrays`` are to be set."""
        tokenizer = self._load_tokenizer()
        if self.path is not None and arrays is None:
            network = pretrained.load_network(self.path)
        else:
            source = self.config if self.path is None else self.path
            configuration = pretrained.load_configuration(source, tokenizer)
            network = pretrained.untrained_network(configuration, arrays)
        training.check_context(self, context_of(network))
        context = self.window if self.path is None else context_of(network)
        self.losses_: list[float] = []
        return self._adopt(network.to(self.device), tokenizer, context)

    def _adopt(self, network: Any, tokenizer: Any, context: int | None) -> "CausalLM":
        self.network_, self.tokenizer_ = network, tokenizer
        self.codec_ = Codec(tokenizer, network.config.get_text_config().vocab_size)
        self.context_ = max(self.window, 1024) if context is None else context
        self._check_causal()
        return self

    def _check_causal(self) -> None:
        self.rounding_ = check_causal(self.network_, self.codec_.plain, self.context_)

    def _load_tokenizer(self) -> Any:
        folder = pretrained.tokenizer_folder(self.path, self.config, self.tokenizer)
        return pretrained.load_tokenizer(folder)

    def _blocks(self, X: Sequence[str], codec: Codec) -> training.Blocks:
        if self.separate:
            texts = codec.encode_arrays(as_texts(X))
            return training.separate_blocks(texts, codec.start, codec.end, self.window)
        tokens = training.stream(codec.encode_all(X), codec.start, codec.end)
        return training.blocks(tokens, self.window)

    def _recorder(self, on_epoch: OnEpoch | None) -> Callable[[int, float], None]:
        def call(number: int, losses: Mapping[str, float]) -> None:
            assert on_epoch is not None  # noqa: S101 (below)
            with evaluating(self.network_), self._seeded():  # its draws leave training alone
                on_epoch(number, losses)

        aside = None if on_epoch is None else call
        return loss_recorder(self.losses_, aside, report="report", remedy=training.remedy(self))

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Seed the global generators, of initial weights and dropout, for the length of a block."""
        device = torch.device(self.device)
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
            torch.manual_seed(self.random_state)
            yield

    def _untrained_codec(self) -> Codec:
        return Codec(tokenizer := self._load_tokenizer(), len(tokenizer))
