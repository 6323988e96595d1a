"""docs/mitigations.md does what it says: its code and its commands, on fewer records."""

import pytest

from pages import blocks, indented, text_of, words_of

PAGE = "docs/mitigations.md"
QUICKER = [
    ("--probes 500 --fits 12", "--probes 20 --fits 8 --records 100"),
    ("epochs=20", "epochs=1"),
    ("draws=64 --workers 2", "draws=4 --set hidden=[8]"),
    ("batch_size=256", "batch_size=32"),
]


def test_noise_and_inverted_digits_are_the_outliers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [code] = blocks(PAGE, "python")
    code = code.replace("[:1000]", "[:400]").replace("epochs=40", "epochs=10")
    *lines, last = code.splitlines()
    assert last.endswith("# 0 to 19, and no other")
    names = {}
    exec("\n".join([*lines, f"outliers = {last}"]), names)
    assert names["outliers"].tolist() == [*range(20)]


@pytest.mark.filterwarnings("default")
def test_the_commands_compare_prune_and_audit_the_rest(byrote_, unrendered):
    options, *lines = indented(PAGE, "byrote compare runs/plain")
    [options] = words_of(f"byrote {options.removeprefix('options=')}")
    printed = []
    for line in lines:
        if line.startswith("byrote"):
            words = words_of(line.replace("$options", options), QUICKER)
            code, out, err = byrote_(*words)
            assert code == 0, err
            printed.append(out)
    assert "Guarantee: epsilon 7.9" in printed[1]
    assert "private" in printed[2]
    prune = "byrote prune runs/copies --top 5%"
    rest = "byrote score digits --only runs/copies/pruned.csv"
    assert f"`{prune}`" in text_of(PAGE)
    assert f"`{rest} …`" in text_of(PAGE)
    few = [("runs/copies", "runs/plain")]
    code, out, err = byrote_(*words_of(prune, few))
    assert (code, "1 of 100 records removed" in out) == (0, True), out + err
    plan = "--model kde --plan probes --probes 20 --fits 4 --out runs/rest"
    code, out, err = byrote_(*words_of(f"{rest} {plan}", few))
    assert code == 0, err
    assert "99 records" in out
