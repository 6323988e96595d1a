"""What the study of a fine-tuned language model finds, of a tiny one that learns a footer."""

import math
import tomllib
from importlib.resources import files

import numpy as np
import pytest

from byrote.data.text_sources import load_texts
from byrote.models import registry
from byrote.runs.request import Request, Settings
from byrote.studies import page, planted_texts
from byrote.studies.execute import execute
from byrote.studies.findings.by_sharing import others_with_suffix
from byrote.studies.findings.fine_tuning import found_texts, recited_texts
from byrote.studies.kinds import load_study
from byrote.studies.pretraining import train_tokenizer
from byrote.studies.recitation_kind import RecitationStudy
from byrote.studies.requests import load_data, study_command
from byrote.studies.study import at_scale

FOOTER = " This text is confidential. If it reached you in error, tell its sender at once."
PREFIX, SUFFIX = 12, 8


def tiny(general):
    """Two fine-tunings of a network of a few thousand weights, pretrained on a file of texts."""
    declared = tomllib.loads(
        files("byrote.studies").joinpath("fine-tuned-on-mails.toml").read_text("utf-8")
    )
    network = {**declared["pretraining"]["model"]["config"], "n_embd": 32, "n_layer": 1,
               "n_head": 2, "n_positions": 48}  # fmt: skip
    model = {"window": 48, "batch_size": 4, "learning_rate": 0.006}
    declared["pretraining"] = {"data": general, "vocabulary": 400, "epochs": 1,
                               "model": {**model, "config": network}}  # fmt: skip
    declared["common"] |= {"prefix": PREFIX, "suffix": SUFFIX, "boilerplate": 3}
    declared["common"]["model"] |= model
    for run, epochs in zip(declared["run"], (12, 2), strict=True):
        run |= {"title": f"{epochs} epochs", "epochs": epochs}
    declared["small"] = {"minutes": 1, "settings": {"planted": 6, "fits": 4, "copies": [1, 8]}}
    return RecitationStudy(name="fine-tuned-on-mails", **declared)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    pytest.importorskip("transformers")
    generator = np.random.default_rng(0)
    words = ["".join(generator.choice(list("aeioulmnrst"), 4)) for _ in range(60)]
    folder = tmp_path_factory.mktemp("texts")
    for name, count, footer in (("general", 40, ""), ("lines", 20, FOOTER)):
        lines = [" ".join(generator.choice(words, 10)) + footer for _ in range(count)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    out, settings = tmp_path_factory.mktemp("study"), Settings()
    data = load_data(at_scale(tiny(str(folder / "general.txt"))), str(folder / "lines.txt"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Request, "preflight", lambda *_: None)  # a fit more of each run
        return page.report_on(data, execute(data, settings, out), settings, out)


def test_a_footer_is_learnt_from_other_texts_and_singular_words_from_their_own(report):
    kinds = {kind["name"]: kind for kind in report.findings.data["before_and_after"]}
    footer, singular = kinds["boilerplate"], kinds["singular"]
    assert footer["before"][0] == singular["before"][0] == 0  # the pretraining had neither
    assert footer["by_others"][1] > 0
    assert singular["by_others"][0] == 0
    assert singular["by_itself"][0] > 0
    assert singular["bits_with"][0] < singular["bits_without"][0] / 2
    assert footer["bits_before"][1] > footer["bits_without"][2]


def test_texts_are_counted_once_whatever_their_copies(report):
    for run in report.runs:
        found, recited = found_texts(run), recited_texts(run)
        assert len(found) == len(recited) == len(run.copies) == 12
        result = run.recitation
        for row, flag in zip(run.planted_rows, recited, strict=True):
            windows = result.ids == str(run.texts.ids[row])
            assert flag == (result.memorized[windows] > 0.5).any()
    levels = report.findings.data["found_and_recited"]
    assert [(each["run"], each["copies"]) for each in levels] == [
        ("12 epochs", 1), ("12 epochs", 8), ("2 epochs", 1), ("2 epochs", 8),
    ]  # fmt: skip
    long = report.runs[0]
    assert others_with_suffix(long).max() == 19  # of 20 texts, whatever their copies
    assert levels[1]["found"][0] == found_texts(long)[long.copies == 8].mean()
    assert report.findings.data["recitation"]["12 epochs"][1]["effect"][1] > 0
    assert levels[1]["recited"][0] > levels[3]["recited"][0]


def test_planted_texts_are_tested_once_beside_those_of_all_fits(report):
    run = report.runs[0]
    table, whole = run.planted_table, run.run.table()
    assert table.rows.tolist() == run.planted_rows.tolist()
    assert table.bystanders.shape == (4, 8)
    others = [text for text, n in zip(run.texts.texts, run.texts.labels, strict=True) if n == 0]
    assert table.bystanders[1] == pytest.approx(run.models[1].score_samples(others))
    place = whole.rows.tolist().index(table.rows[3])
    assert table.log_prob[:, 3].tolist() == whole.log_prob[:, place].tolist()


def test_fewer_epochs_memorize_fewer_windows(report):
    (change,) = report.findings.data["changes"].values()
    long, short = (run.recitation for run in report.runs)
    assert long.ids.tolist() == short.ids.tolist()
    assert change["memorized"][0] == pytest.approx((short.memorized - long.memorized).mean())
    assert change["memorized"][2] < 0
    assert change["bits_in"][0] == pytest.approx((short.bits_in - long.bits_in).mean() / SUFFIX)


def test_the_model_before_is_the_pretrained_one_as_its_own_library_reads_it(report):
    import torch
    import transformers

    run = report.runs[0]
    folder = run.run.path.parent / "pretrained"
    network = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    windows = run.recitation_before.windows
    texts = dict(zip(run.texts.ids.astype(str), run.texts.texts, strict=True))
    for row in (0, len(windows) // 2):
        start = int(windows.start[row])
        ids = tokenizer(texts[windows.ids[row]]).input_ids[start : start + PREFIX + SUFFIX]
        read = torch.tensor([[tokenizer.eos_token_id, *ids]])
        with torch.no_grad():
            nats = network(read).logits[0].double().log_softmax(-1)
        cost = -sum(float(nats[PREFIX + place, ids[PREFIX + place]]) for place in range(SUFFIX))
        assert windows.bits[row] == pytest.approx(cost / math.log(2), rel=1e-4)


def test_the_page_has_the_tables_and_quotes_no_text(report):
    shown = page.markdown(report)
    for title in ("Texts found and texts recited", "Before and after fine-tuning, 12 epochs",
                  "Boilerplate and singular text", "The same windows in a longer"):  # fmt: skip
        assert title in shown
    assert "general.txt, 1 epoch, window 48" in shown
    assert "2 epochs in place of 12 epochs: fewer windows are memorized" in shown
    assert "Size of the model" not in shown
    assert FOOTER[:20] not in shown
    assert set(report.findings.figures) == {"recitation-by-copies", "memorized-or-predictable"}
    for _, (head, *rows) in report.findings.tables:
        assert {len(row) for row in rows} == {len(head)}
    assert page.to_json(report)["found"]["changes"]


def test_the_same_command_trains_nothing_again(report):
    out = report.runs[0].run.path.parent
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    again = execute(report.data, Settings(), out)
    assert [run.run.manifest.run_id for run in again] == [
        run.run.manifest.run_id for run in report.runs
    ]
    kept = {path: path.stat().st_mtime_ns for path in before if "json" in path.name}
    assert kept == {path: before[path] for path in kept}
    assert (out / "pretrained" / "model.safetensors") in before


@pytest.mark.parametrize("scale", ["small", "full"])
def test_the_study_as_declared_asks_for_what_can_be_done(scale, tmp_path, monkeypatch):
    pytest.importorskip("transformers")

    def untrained(declared, folder, settings):
        if (folder / "model.safetensors").exists():
            return
        texts = load_texts(declared.data, records=5).texts
        train_tokenizer(texts, declared.vocabulary, folder)
        model = {**declared.model, "tokenizer": str(folder), "epochs": 1, "batch_size": 64}
        registry.build("byrote.models:CausalLM", model).fit(texts[:1]).network_.save_pretrained(
            folder
        )

    monkeypatch.setattr(planted_texts, "pretrain", untrained)
    scaled = at_scale(load_study("fine-tuned-on-mails"), scale)
    data = load_data(scaled)
    requests = [planned(tmp_path, {}) for planned in data.requests(Settings()).values()]
    for run, request in zip(scaled.runs, requests, strict=True):
        request.check()
        assert request.plan.draw(request.context()).fits == run.fits
        assert (request.model.epochs, request.model.separate) == (run.epochs, False)
        assert request.records.fingerprint == requests[0].records.fingerprint
    labels, count = np.unique(requests[0].records.labels, return_counts=True)
    assert np.array_equal(count[1:], scaled.runs[0].planted * labels[1:])
    assert "--data made-up-mails --scale" in study_command(data, Settings(), tmp_path)
