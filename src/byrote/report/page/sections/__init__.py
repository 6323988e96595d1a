"""The sections of a page, one file each; every file registers its own."""
