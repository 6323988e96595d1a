"""The post's experiments on the exposure of secrets, declared as data: one TOML file each."""
