"""File formats, one module each, and the registry of them.

To add a format, write a module with a function that takes the path of a source and keyword options
and returns `Records` or a `Corpus`, and add an entry to ``RECORD_FORMATS`` or ``TEXT_FORMATS`` in
`byrote.data.formats.registry`.
"""
