"""The options of each verb as a data class, whose docstring is the help of the verb."""
