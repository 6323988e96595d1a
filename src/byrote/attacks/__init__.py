"""What can be taken out of a language model: ranks and secrets, by search, enumeration, chance."""
