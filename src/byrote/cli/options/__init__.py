"""The options of each verb as a data class: all that ``--help`` and a mistyped option need."""
