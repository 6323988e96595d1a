"""docs/texts.md does what it says: its code and its commands run as they stand there."""

from pathlib import Path

import pytest

from pages import blocks, commands, words_of

pytest.importorskip("transformers")

PAGE = "docs/texts.md"
# Four fits in place of twelve, one epoch.
QUICKER = [("epochs=10", "epochs=1"), ("--folds 3", "--folds 2"), ("--repeats 4", "--repeats 2")]


@pytest.mark.filterwarnings("default")  # of so few fits
def test_the_page_runs(byrote_, capfd):
    data, program, _ = blocks(PAGE, "python")
    exec(data.replace("range(120)", "range(16)"), {})
    capfd.readouterr()
    exec(program, {})
    assert capfd.readouterr().out == blocks(PAGE, "text")[0]
    printed = {}
    for words in commands(PAGE, QUICKER):
        code, out, err = byrote_(*words)
        assert code == (4 if words[0] == "check" else 0), err  # so few fits tell nothing
        printed[words[0], "--dry-run" in words] = out
    assert "16 of 16 records scored in 4 fits" in printed["score", False]
    assert "Dear" not in printed["score", False]
    assert "Dear" in printed["show", False]


@pytest.mark.filterwarnings("default")
def test_the_commands_of_the_page_on_recitation_run(byrote_, capfd):
    """Its run of texts is of the mails and the model of this page."""
    data, program, _ = blocks(PAGE, "python")
    exec(data.replace("range(120)", "range(12)"), {})
    exec(program, {})
    Path("other-mails.jsonl").write_text(Path("mails.jsonl").read_text())
    capfd.readouterr()
    few = [("--repeats 4", "--repeats 1"), *QUICKER, ("hf:tuned", "hf:base")]
    few += [("--csv", "--prefix 15 --suffix 15 --csv"), (" > tuned.csv", ""), (" > base.csv", "")]
    printed = []
    for line in "".join(blocks("docs/recitation.md", "sh")).splitlines():
        code, out, err = byrote_(*words_of(line, few))
        assert code in (0, 4), err  # so few fits tell nothing
        printed.append(out)
    assert "12 texts" in printed[1]
    assert "windows of 15 + 15 tokens · 2 fits" in printed[1]
    assert printed[2].startswith("id,text,start,matched")
    assert printed[2] == printed[3]


@pytest.mark.filterwarnings("default")  # of peft
def test_the_class_with_adapters_is_fitted_and_scores(byrote_, monkeypatch):
    pytest.importorskip("peft")
    data, _, adapters = blocks(PAGE, "python")
    exec(data.replace("range(120)", "range(8)"), {})
    Path("lora.py").write_text(adapters)
    monkeypatch.syspath_prepend(".")
    (command,) = blocks(PAGE, "sh")
    code, out, err = byrote_(*words_of(command.strip(), QUICKER))
    assert code == 0, err
    assert "8 of 8 records scored in 4 fits" in out
