"""What a run's owner notes about it. Imports no torch."""

LONGEST = 500  # characters


def checked_note(note: str) -> str:
    """Return a note without space around it; ValueError if it is longer than LONGEST."""
    note = note.strip()
    if len(note) > LONGEST:
        raise ValueError(f"A note may have {LONGEST} characters; this one has {len(note):,}.")
    return "".join(each for each in note if each.isprintable() or each == "\n")
