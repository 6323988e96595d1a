"""The paper's experiments, declared as data: one TOML file each."""
